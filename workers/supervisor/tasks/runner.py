"""The run of one task: from the token that a poll brought to the report that Step Functions took."""

import asyncio
import logging
from time import monotonic
from typing import Any

import anyio
import structlog

from interceptors.chain import CallNext
from workers.envelope import unwrap
from workers.errors import ErrorName
from workers.failures import Failure, failure, refusal
from workers.metrics import Metrics, TaskOutcome
from workers.signatures import InvalidInputError, InvalidOutputError
from workers.stepfunctions.protocol import ActivityTask
from workers.supervisor.activity import Activity
from workers.supervisor.drain import Drain
from workers.supervisor.tasks.heartbeats import Heartbeats
from workers.supervisor.tasks.ids import bind_ids
from workers.supervisor.tasks.output import OutputTooLargeError, encoded
from workers.supervisor.tasks.reading import read_input
from workers.supervisor.tasks.reports import Fate, Reports
from workers.supervisor.tasks.running import RunningTask
from workers.task import CancelReason, Task, received_task

log = structlog.get_logger(__name__)

Outcome = str | Failure | None
"""The output as JSON text, or a failure, or None where nobody waits for either."""


class Runner:
    """Runs tasks of any activity of one worker."""

    def __init__(
        self, reports: Reports, heartbeats: Heartbeats, drain: Drain, metrics: Metrics, *, log_successes: bool
    ) -> None:
        self.running: dict[str, RunningTask] = {}
        """Every task whose token was received and not yet reported, by its token."""
        self._reports = reports
        self._heartbeats = heartbeats
        self._drain = drain
        self._metrics = metrics
        self._log_successes = log_successes
        self._says_successes = _heard(logging.INFO if log_successes else logging.DEBUG)

    async def run(
        self, activity: Activity, chain: CallNext, received: ActivityTask, worked_on: asyncio.Task[None]
    ) -> RunningTask:
        """Runs the task and reports it, in `worked_on`. Returns when Step Functions has the report, or wants none."""
        run = RunningTask(activity, received.token, self._heartbeats, self._drain, worked_on)
        self.running[run.token] = run
        try:
            outcome = await self._outcome(run, chain, received)
        except asyncio.CancelledError:
            run.stop_beating()
            if run.failed:  # meanwhile
                del self.running[run.token]
            raise
        run.handled = monotonic()
        run.succeeded = isinstance(outcome, str)
        if run.failing:  # reported without it; a token gets one report
            await run.failing.wait()
            if run.failed:
                del self.running[run.token]
            return run
        if isinstance(outcome, str):
            fate, refused = await self._reports.success(run.token, outcome)
            if refused:
                outcome, run.succeeded = refused, False
        else:
            fate = Fate.CLOSED if outcome is None else await self._reports.failure(run.token, outcome)
        run.stop_beating()
        del self.running[run.token]
        self._tell(run, outcome, fate)
        run.task = None  # which holds the run in its turn: without that circle nothing waits for the garbage collector
        return run

    def cancel_all(self, reason: CancelReason) -> None:
        """Cancels every handler that runs."""
        for run in list(self.running.values()):
            run.cancel(reason)

    def give_up(self) -> None:
        """Ends every run where it is, its report too."""
        for run in self.running.values():
            run.worked_on.cancel()

    def run_of(self, task: Task) -> RunningTask:
        """The run of `task`, which is not over."""
        return self.running[task.token]

    async def fail(self, run: RunningTask, message: str) -> None:
        """Fails a task as `Worker.ShuttingDown` while its handler still runs; nothing else is reported for it."""
        if run.ended:  # just now: it has a report of its own, and a token gets one
            return
        run.failing = anyio.Event()
        outcome = refusal(ErrorName.SHUTTING_DOWN, message)
        try:
            fate = await self._reports.failure(run.token, outcome)
            self._tell(run, outcome, fate)
            run.failed = True
        finally:
            run.stop_beating()
            run.failing.set()

    async def _outcome(self, run: RunningTask, chain: CallNext, received: ActivityTask) -> Outcome:
        if not self._drain.accepts:
            return refusal(ErrorName.SHUTTING_DOWN, "the worker is being stopped and its grace is over")
        try:
            run.task = _task(run, received)
            bind_ids(run.label, run.task)
            with run.scope:
                return encoded(run.activity.name, await chain(run.task))
        except (InvalidInputError, InvalidOutputError, OutputTooLargeError) as error:
            return refusal(error.error_name, str(error))
        except BaseException as error:  # whatever a handler raises, SystemExit too, fails its own task only
            if _is_ours(error):
                raise
            if run.cancel_reason:
                return _stopped(run)
            run.error = error
            return failure(error)
        return _stopped(run)

    def _tell(self, run: RunningTask, outcome: Outcome, fate: Fate) -> None:
        if self._metrics.registry is not None:
            self._count(run, outcome, fate)
        if isinstance(outcome, Failure):
            log.warning("task failed", error=outcome.error, **_end(run, fate))
        elif fate is Fate.CLOSED:
            log.warning("task closed", **_end(run, fate))
        elif fate is Fate.UNCONFIRMED:
            log.warning("task unconfirmed", **_end(run, fate))
        elif not self._says_successes:
            return  # a line takes longer than most of what a task costs
        elif self._log_successes:
            log.info("task succeeded", **_end(run, fate))
        else:
            log.debug("task succeeded", **_end(run, fate))

    def _count(self, run: RunningTask, outcome: Outcome, fate: Fate) -> None:
        counts = self._metrics.activity(run.activity.name)
        counts.handled((run.handled or run.started) - run.started)
        counts.retried(run.retries)
        if run.task and (queued := run.task.queued_seconds) is not None:
            counts.queued(queued)
        if isinstance(outcome, Failure):
            counts.ended(TaskOutcome.FAILED if fate is Fate.ACCEPTED else TaskOutcome(fate), outcome.error)
        else:
            counts.ended(TaskOutcome.SUCCEEDED if fate is Fate.ACCEPTED else TaskOutcome(fate))


def _task(run: RunningTask, received: ActivityTask) -> Task:
    name = run.activity.name
    try:
        document = read_input(received.input)
    except ValueError as error:
        raise InvalidInputError(f"the input of activity {name} cannot be read: {error}") from None
    context, value = unwrap(document)
    streams = run.activity.handler.arguments.streams
    return received_task(activity=name, token=run.token, input=value, context=context, run=run, streams=streams)


def _stopped(run: RunningTask) -> Outcome:
    """What is left to say of a handler that was cancelled."""
    if run.cancel_reason is CancelReason.TASK_CLOSED:
        return None
    return refusal(ErrorName.SHUTTING_DOWN, "the worker was stopped before the handler had finished")


def _is_ours(error: BaseException) -> bool:
    """Whether `error` is the worker's own cancellation, not one that a handler let out by accident."""
    if not isinstance(error, asyncio.CancelledError):
        return False
    task = asyncio.current_task()
    return anyio.current_effective_deadline() == float("-inf") or bool(task and task.cancelling())


def _heard(level: int) -> bool:
    """Whether lines of `level` are written, as far as the logger can say: what they tell of need not be worked out."""
    bound = log.bind()
    return not hasattr(bound, "is_enabled_for") or bool(bound.is_enabled_for(level))


def _end(run: RunningTask, fate: Fate) -> dict[str, Any]:
    """What a line says of the end of a task."""
    seconds = round(monotonic() - run.started, 4)
    return {"activity": run.activity.name, "task": run.label, "fate": fate, "seconds": seconds}
