"""The run of one task: from the token that a poll brought to the report that Step Functions took."""

import asyncio
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
from workers.task import CancelReason, Task

log = structlog.get_logger(__name__)

Outcome = str | Failure | None
"""The output as JSON text, or a failure, or None where nobody waits for either."""


class Runner:
    """Runs tasks of any activity of one worker."""

    def __init__(self, reports: Reports, heartbeats: Heartbeats, drain: Drain, metrics: Metrics) -> None:
        self.running: dict[str, RunningTask] = {}
        """Every task whose token was received and not yet reported, by its token."""
        self._reports = reports
        self._heartbeats = heartbeats
        self._drain = drain
        self._metrics = metrics

    async def run(self, activity: Activity, chain: CallNext, received: ActivityTask) -> RunningTask:
        """Runs the task and reports it. Returns when Step Functions has the report, or wants none."""
        run = RunningTask(activity, received.token, self._heartbeats, self._drain)
        self.running[run.token] = run
        try:
            outcome = await self._outcome(run, chain, received)
        except asyncio.CancelledError:
            run.stop_beating()
            if run.failing:  # it has been reported meanwhile
                del self.running[run.token]
            raise
        run.handled = monotonic()
        run.succeeded = isinstance(outcome, str)
        if run.failing:  # reported without it; a token gets one report
            await run.failing.wait()
            del self.running[run.token]
            return run
        fate = await self._report(run.token, outcome)
        run.stop_beating()
        del self.running[run.token]
        self._count(run, outcome, fate)
        _log_end(run, outcome, fate)
        run.task = None  # which holds the run in its turn: without that circle nothing waits for the garbage collector
        return run

    def cancel_all(self, reason: CancelReason) -> None:
        """Cancels every handler that runs."""
        for run in list(self.running.values()):
            run.cancel(reason)

    def give_up(self) -> None:
        """Ends every run where it is, its report too."""
        for run in self.running.values():
            if run.worked_on:
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
        fate = await self._reports.failure(run.token, outcome)
        self._count(run, outcome, fate)
        _log_end(run, outcome, fate)
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

    async def _report(self, token: str, outcome: Outcome) -> Fate:
        if isinstance(outcome, str):
            return await self._reports.success(token, outcome)
        return Fate.CLOSED if outcome is None else await self._reports.failure(token, outcome)


def _task(run: RunningTask, received: ActivityTask) -> Task:
    name = run.activity.name
    try:
        document = read_input(received.input)
    except ValueError as error:
        raise InvalidInputError(f"the input of activity {name} cannot be read: {error}") from None
    context, value = unwrap(document)
    streams = run.activity.handler.arguments.streams
    return Task(activity=name, token=run.token, input=value, context=context, run=run, streams=streams)


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


def _log_end(run: RunningTask, outcome: Outcome, fate: Fate) -> None:
    what: dict[str, Any] = {"activity": run.activity.name, "task": run.label, "fate": fate}
    what["seconds"] = round(monotonic() - run.started, 4)
    if isinstance(outcome, Failure):
        log.warning("task failed", error=outcome.error, **what)
    elif fate is Fate.CLOSED:
        log.warning("task closed", **what)
    else:
        log.debug("task succeeded", **what)
