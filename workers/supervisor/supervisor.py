"""The life of a running worker: polls, handlers and side tasks, from the first poll to the last report."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from functools import partial
from typing import Any

import anyio
import structlog
from anyio.abc import TaskGroup

from workers.errors import BrokenWorkerError, ExitCode, PausePolling, UsageError, bare
from workers.metrics import Metrics, TaskOutcome
from workers.settings import Settings
from workers.stepfunctions.protocol import ActivityMissingError, ActivityTask, StepFunctions
from workers.supervisor.activity import Activity
from workers.supervisor.drain import Drain, Phase
from workers.supervisor.invocation.invoker import Invoker
from workers.supervisor.invocation.processes import Processes
from workers.supervisor.invocation.threads import Threads
from workers.supervisor.leave import leave
from workers.supervisor.limits import ProcessLimits
from workers.supervisor.outside.status import Status
from workers.supervisor.polling.poller import Poller
from workers.supervisor.polling.slots import Budget, Slots
from workers.supervisor.tasks.heartbeats import MOST_AT_ONCE, Heartbeats
from workers.supervisor.tasks.reports import Reports
from workers.supervisor.tasks.runner import Runner
from workers.supervisor.tasks.running import RunningTask
from workers.task import CancelReason

log = structlog.get_logger(__name__)

_LAST_REPORTS = 10.0
"""Seconds that reports get after the last poll and the last handler have ended."""
_TO_END = 5.0
"""Seconds that a cancelled handler gets to clean up, before its task is failed without it."""
_FORCED_REPORTS = 2.0
"""Seconds that reports get after a second signal."""
_LOOK_EVERY = 0.05
_SWALLOWED = "the worker was stopped, and the handler did not end when it was cancelled"


class Supervisor:
    """Runs `activities` on `client` until `drain` says otherwise."""

    def __init__(
        self,
        activities: Sequence[Activity],
        client: StepFunctions,
        *,
        settings: Settings,
        worker_name: str,
        drain: Drain,
        metrics: Metrics,
    ) -> None:
        self._drain = drain
        self._metrics = metrics
        self._grace = settings.grace
        self._owns_process = False
        self._fault: BaseException | None = None
        self._dropped = 0
        self._abandoned: set[RunningTask] = set()
        metrics.watch_abandoned_threads(lambda: len(self._abandoned))
        slots = sum(activity.concurrency for activity in activities)
        self._heartbeats = Heartbeats(client, metrics, at_once=min(slots, MOST_AT_ONCE))
        self._threads = Threads(slots)
        self._processes = Processes(recycle=settings.recycle)
        self._runner = Runner(
            Reports(client, metrics), self._heartbeats, drain, metrics, log_successes=settings.log_successes
        )
        invoker = Invoker(self._threads, self._processes, self._runner.run_of)
        self._limits = ProcessLimits(settings, drain)
        self._polls_ended = anyio.Event()
        self._tasks = asyncio.TaskGroup()  # one of anyio makes a scope, an event and a second coroutine for each task
        budget = Budget(settings.budget, len(activities))
        self._pollers = [
            Poller(
                activity,
                activity.chain(invoker.of(activity.handler)),
                slots=Slots(activity.concurrency, budget),
                client=client,
                metrics=metrics,
                worker_name=worker_name,
                drain=drain,
                create=settings.create,
                tasks=self._tasks,
                started=self._started,
                troubled=self._troubled,
            )
            for activity in activities
        ]

    async def run(self, *, owns_process: bool = False) -> ExitCode:
        """Works until the drain has ended. Raises what broke a part of the worker, once the rest has ended.

        With `owns_process` it leaves at once when a handler cannot be ended, after its task was reported.
        """
        self._owns_process = owns_process
        try:
            async with anyio.create_task_group() as side:
                side.start_soon(self._guard, "heartbeats", self._heartbeats.run, name="heartbeats")
                side.start_soon(self._end_grace, name="grace")
                side.start_soon(self._guard, "the watch over memory", self._limits.watch_memory, name="memory")
                left = await self._work(side)
                side.cancel_scope.cancel()
        finally:
            self._processes.close()
            self._threads.close()
        if self._fault:
            raise self._fault
        return self._code(given_up=left > 0)

    def status(self, worker_name: str) -> Status:
        """What is going on now; called from other threads, so it only reads."""
        return Status(
            worker=worker_name,
            phase=self._drain.phase,
            problems={poller.activity.name: str(poller.trouble) for poller in self._pollers if poller.trouble},
            braked={poller.activity.name: poller.brake.braked for poller in self._pollers},
            running=list(self._runner.running.values()),
        )

    def say_given_up(self) -> None:
        """Logs and counts each task that has not been reported, at the end: once, however often it is called."""
        running = self._runner.running
        while running:
            _, run = running.popitem()
            if not run.failed:
                log.error("report given up", activity=run.activity.name, task=run.label)
                self._metrics.activity(run.activity.name).ended(TaskOutcome.GIVEN_UP)

    async def _work(self, side: TaskGroup) -> int:
        """Polls and runs tasks until both have ended. Returns how many polls and tasks were given up."""
        async with self._tasks:
            async with anyio.create_task_group() as polls:
                side.start_soon(self._force, polls, name="force")
                for poller in self._pollers:
                    name = f"pollers {poller.activity.name}"
                    polls.start_soon(self._guard, name, poller.run, name=name)
            self._polls_ended.set()
            side.start_soon(self._give_up, name="last reports")
        given_up = self._dropped + len(self._runner.running)
        self.say_given_up()
        return given_up

    def _started(
        self, poller: Poller, received: ActivityTask, worked_on: asyncio.Task[None]
    ) -> Coroutine[Any, Any, None]:
        self._limits.received()
        return self._run(poller, received, worked_on)

    async def _run(self, poller: Poller, received: ActivityTask, worked_on: asyncio.Task[None]) -> None:
        try:
            run = await self._runner.run(poller.activity, poller.chain, received, worked_on)
        except Exception as error:  # noqa: BLE001 - a fault of ours in one task must not take the others with it
            self._broke(f"the run of a task of {poller.activity.name}", error)
            return
        if isinstance(run.error, PausePolling):
            poller.brake.pause(run.error.seconds, str(run.error))
        if run.succeeded:
            poller.brake.succeeded()
        elif run.error:
            poller.brake.failed()
        if run.thread is None:
            poller.slots.give()
        else:
            self._abandoned.add(run)
            run.after_thread(partial(self._free, poller, run))

    def _free(self, poller: Poller, run: RunningTask) -> None:
        self._abandoned.discard(run)
        poller.slots.give()

    async def _guard(self, name: str, part: Callable[[], Awaitable[None]]) -> None:
        try:
            await part()
        except Exception as error:  # noqa: BLE001 - logged there
            self._broke(name, error)

    def _broke(self, part: str, error: Exception) -> None:
        """A part that breaks stops the worker: loudly, but only after what it holds has been finished."""
        cause = bare(error)
        log.error("a part of the worker broke; draining", part=part, exc_info=cause)
        if self._fault is None:
            self._fault = BrokenWorkerError(part, cause)
            self._fault.__cause__ = cause
        self._drain.begin()

    def _troubled(self) -> None:
        """Ends a worker that cannot do anything: none of its activities is there, and it may not create them.

        Once a poll has worked, region, namespace and account are right: an activity that was deleted may come back.
        """
        in_vain = [isinstance(one.trouble, ActivityMissingError) and not one.has_polled for one in self._pollers]
        if self._fault is None and all(in_vain):
            arns = ", ".join(poller.activity.arn for poller in self._pollers)
            self._fault = UsageError(
                f"none of the worker's activities exists ({arns}): create them, run without --no-create, "
                "or check the region and the namespace"
            )
            self._drain.begin()

    async def _end_grace(self) -> None:
        await self._drain.draining
        await anyio.sleep(self._grace)
        self._drain.cancel()
        self._runner.cancel_all(CancelReason.SHUTDOWN)
        await anyio.sleep(_TO_END)
        await self._leave_behind()

    async def _leave_behind(self) -> None:
        """Handlers that swallow their cancellation: their tasks are failed, so that others may take them.

        A process of our own is left then, as soon as all else has been reported.
        """
        stuck = [run for run in self._runner.running.values() if not run.ended]
        if not stuck:
            return
        async with anyio.create_task_group() as reports:
            for run in stuck:
                log.error("handler does not end", activity=run.activity.name, task=run.label)
                reports.start_soon(self._runner.fail, run, _SWALLOWED, name=f"failing {run.label}")
            await self._polls_ended.wait()
            reports.cancel_scope.deadline = anyio.current_time() + _LAST_REPORTS
            while not all(run.failed for run in self._runner.running.values()):  # noqa: ASYNC110 - rare, and soon over
                await anyio.sleep(_LOOK_EVERY)
        left = sum(not run.ended for run in stuck)
        if left and self._owns_process:
            log.error("leaving without the handlers that do not end", handlers=left)
            forced = self._drain.phase is Phase.FORCED
            leave(self._code(given_up=forced or reports.cancel_scope.cancel_called))

    def _code(self, *, given_up: bool) -> ExitCode:
        if given_up and self._drain.phase is Phase.FORCED:
            return ExitCode.FORCED
        return ExitCode.FAULT if given_up or self._fault else ExitCode.OK

    async def _give_up(self) -> None:
        """Bounds the reports once nothing else is left to wait for."""
        await self._drain.grace_over()
        await anyio.sleep(_LAST_REPORTS)
        self._runner.give_up()

    async def _force(self, polls: TaskGroup) -> None:
        await self._drain.forced()
        self._dropped = sum(poller.open for poller in self._pollers)
        polls.cancel_scope.cancel()
        self._runner.cancel_all(CancelReason.SHUTDOWN)
        await anyio.sleep(_FORCED_REPORTS)
        self._runner.give_up()
