"""The worker: a registry, run."""

import asyncio
from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from typing import TYPE_CHECKING, Any, Self

import anyio

from workers.collector import settle
from workers.errors import ExitCode, UsageError, bare
from workers.logs import get_logger
from workers.registry import Registry
from workers.settings import Settings
from workers.stepfunctions.connection import Connection, connect, find_place
from workers.stepfunctions.protocol import ServiceError, StepFunctions
from workers.supervisor.activity import Activity, activities
from workers.supervisor.advice import advise
from workers.supervisor.drain import Drain
from workers.supervisor.leave import before_leaving
from workers.supervisor.names import DEFAULT as DEFAULT_NAME
from workers.supervisor.names import fill_name
from workers.supervisor.outside.seen import metrics_for, seen_from_outside
from workers.supervisor.outside.status import Status
from workers.supervisor.signals import drain_on_signals
from workers.supervisor.supervisor import Supervisor
from workers.supervisor.tasks.heartbeats import MOST_AT_ONCE

if TYPE_CHECKING:
    from aiobotocore.session import AioSession

log = get_logger(__name__)


class Worker:
    """Runs the activities of a registry until it is told to stop.

    `settings` defaults to what the environment says (`WORKERS_…`). `session` is an aiobotocore session; without
    one the AWS SDK's own configuration decides. `arns`: the ARN of the activity to poll for each handler's
    name, instead of the one that it stands for; handlers that it does not name are not polled. `client`:
    one that is open already, for who has it. A worker runs once; make another one to run again.
    Whoever is cancelled while it runs, starts or leaves a worker drains it first; cancelled again, it forces the end.

        await Worker(registry).run()                 # until drained

        async with Worker(registry) as worker: ...   # beside other work; drained at the end

        worker = Worker(registry)                    # in a notebook
        await worker.start()
        await worker.drain()
    """

    def __init__(
        self,
        registry: Registry,
        settings: Settings | None = None,
        *,
        session: "AioSession | None" = None,
        arns: Mapping[str, str] | None = None,
        client: StepFunctions | None = None,
    ) -> None:
        if not len(registry):
            raise UsageError("the registry is empty: register a handler with @registry.activity")
        self.settings = settings or Settings()
        if client is None or not self.settings.local:
            # The AWS SDK takes long to load: not when the worker runs, for nothing else could run meanwhile.
            import aiobotocore.session  # noqa: F401

            import workers.stepfunctions.fast.choice  # noqa: F401
        self.name = self.settings.worker_name or DEFAULT_NAME
        """The worker's name; its placeholders are filled in when it starts."""
        self.activities: list[Activity] = []
        """The activities that it runs; known once it has found its account."""
        self.metrics = metrics_for(self.settings)
        self._registry = registry
        self._session = session
        self._arns = arns
        self._client = client
        self._drain = Drain()
        self._supervisor: Supervisor | None = None
        self._started = asyncio.Event()
        self._over = asyncio.Event()
        self._life: asyncio.Task[None] | None = None
        self._starting: asyncio.Task[object] | None = None
        self._outcome: ExitCode | BaseException = ExitCode.OK

    async def run(self, *, signals: bool = False) -> ExitCode:
        """Polls and runs tasks until drained. Cancelling it drains as a first signal does, then raises.

        With `signals` the worker owns the process: SIGTERM and SIGINT drain, and force the second time, and a
        handler that cannot be ended does not keep the process from exiting. Only in a main thread.
        Raises `UsageError` for what cannot work: no region, no credentials, nothing at the local endpoint.
        """
        self._begin(signals=signals)
        await self._wait_or_drain(self._over)
        return await self.ended()

    async def start(self) -> None:
        """Runs the worker beside the caller; returns when it polls. Raises what keeps it from starting."""
        self._begin(signals=False)
        await self._wait_or_drain(self._started)
        if self._over.is_set():
            await self.ended()

    def _begin(self, *, signals: bool) -> None:
        if self._life:
            raise UsageError("this worker was run before: make another one")
        # A task of its own, in no scope: whoever is cancelled has to wait for the drain. What is told of its end
        # cannot be its own last step, because a task that is cancelled before its first turn takes none.
        self._life = asyncio.create_task(self._live(signals=signals), name="worker")
        self._life.add_done_callback(self._end)

    def _end(self, _: "asyncio.Task[None]") -> None:
        self._over.set()
        self._started.set()  # or it will never start

    async def drain(self) -> ExitCode:
        """Ends a running worker as a first signal does: no new polls, running tasks finish within the grace.

        Waits for the end; open polls take up to a minute, because Step Functions may have given them a task.
        """
        self._must_run()
        self._begin_drain()
        return await self.ended()

    async def stop(self) -> ExitCode:
        """Ends a running worker at once, as a second signal does. Tasks may be lost until they time out."""
        self._must_run()
        self._force()
        return await self.ended()

    async def drop(self) -> ExitCode:
        """Ends a running worker at once, like `stop()`; for one whose activities nobody needs any more."""
        self._must_run()
        self._end_at_once()
        return await self.ended()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        self._begin_drain()
        if isinstance(error, anyio.get_cancelled_exc_class()):
            await self._outlast()  # the cancellation goes on, whatever broke the worker
            return
        await self._wait_or_drain(self._over)
        await self.ended()

    def _must_run(self) -> None:
        if not self._life:
            raise UsageError("this worker was not started: call start() or run() first")

    async def ended(self) -> ExitCode:
        """Waits for the end of a running worker, whoever ends it. Raises what broke it."""
        await self._over.wait()
        if isinstance(self._outcome, BaseException):
            raise self._outcome
        return self._outcome

    async def _wait_or_drain(self, event: asyncio.Event) -> None:
        """Waits for `event`. Whoever is cancelled meanwhile waits for the drain: nobody else may hold it."""
        try:
            await event.wait()
        except anyio.get_cancelled_exc_class():
            self._begin_drain()
            await self._outlast()
            raise

    async def _outlast(self) -> None:
        """Waits for the end of a cancelled worker; a second cancellation forces it."""
        with anyio.CancelScope(shield=True):
            while not self._over.is_set():
                try:
                    await self._over.wait()
                except anyio.get_cancelled_exc_class():
                    self._force()

    def _begin_drain(self) -> None:
        if self._drain.begin():
            log.info("draining", grace=self.settings.grace)
            if self._starting:  # nothing is held yet: whatever it waits for may be dropped
                self._starting.cancel()

    def _force(self) -> None:
        log.warning("forced to stop")
        self._end_at_once()

    def _end_at_once(self) -> None:
        if self._drain.force() and self._starting:  # after a drain it has been cancelled before
            self._starting.cancel()

    def status(self) -> Status:
        """What the worker is doing now; safe to call from any thread."""
        if self._supervisor is None:
            return Status(worker=self.name)
        return self._supervisor.status(self.name)

    async def _live(self, *, signals: bool) -> None:
        self._outcome = ExitCode.FAULT
        try:
            self._outcome = await self._unless_told_to_end(signals=signals)
        except Exception as error:  # noqa: BLE001 - raised in `ended`, in the tasks of those who wait for it
            self._outcome = bare(error)

    async def _unless_told_to_end(self, *, signals: bool) -> ExitCode:
        """Its life, ended where it stands by a drain that begins before the first poll, or not begun after one.

        It is cancelled once, as asyncio does it: what has been entered by then may still await its own cleaning up.
        """
        if self._drain.draining.is_set():
            return ExitCode.OK
        self._starting = asyncio.current_task()
        try:
            return await self._work(signals=signals)
        except asyncio.CancelledError:
            if not (self._starting and self._drain.draining.is_set()):
                raise
            self._starting.uncancel()
            return ExitCode.OK

    async def _work(self, *, signals: bool) -> ExitCode:
        async with AsyncExitStack() as stack:
            if signals:
                await stack.enter_async_context(drain_on_signals(self._begin_drain, self._force))
            self.name = await fill_name(self.settings.worker_name)
            await stack.enter_async_context(self._outside(signals=signals))
            stack.enter_context(before_leaving(self._left))
            connection, found = await self._prepare()
            self.activities = found
            for shared in self._shared(found, connection):
                await stack.enter_async_context(shared)
            client = self._client
            if client is None:
                from workers.stepfunctions.fast.choice import open_stepfunctions

                opened = open_stepfunctions(connection, self.settings.client, **_connections(found))
                client = await stack.enter_async_context(opened)
            self._supervisor = Supervisor(
                found, client, settings=self.settings, worker_name=self.name, drain=self._drain, metrics=self.metrics
            )
            log.info("worker started", worker=self.name, activities=[activity.arn for activity in found])
            self._starting = None
            self._started.set()
            if signals:
                settle()
            code = await self._supervisor.run(owns_process=signals)
        log.info("worker stopped", worker=self.name, exit_code=int(code))
        return code

    def _left(self, code: int) -> None:
        """What is said at the end, if the process is left with handlers that do not end."""
        if self._supervisor:
            self._supervisor.say_given_up()
        log.info("worker stopped", worker=self.name, exit_code=int(code))

    def _outside(self, *, signals: bool) -> AbstractAsyncContextManager[None]:
        """What shows the worker to the outside while it lives."""
        return seen_from_outside(self.settings, self.status, self.metrics, signals=signals)

    async def _prepare(self) -> tuple[Connection, list[Activity]]:
        connection = await connect(self.settings, self._session)
        place = await find_place(connection, self.settings, waiting=_say_waiting)
        found = activities(self._registry, self.settings, place, arns=self._arns)
        advise(self.settings, found, place.region)
        return connection, found

    def _shared(self, found: list[Activity], connection: Connection) -> list[Any]:
        """What is entered before the first poll and left after the last report: each thing once."""
        lifespans = [lifespan() for lifespan in self._registry.lifespans]
        listed = {id(one): one for activity in found for one in activity.interceptors if hasattr(one, "__aenter__")}
        for interceptor in listed.values():
            if hasattr(interceptor, "use_aws"):  # what it stores goes to the same account, region and endpoint
                interceptor.use_aws(connection.session, connection.endpoint_url)
        return [*lifespans, *listed.values()]


def _connections(found: list[Activity]) -> dict[str, int]:
    """The sizes of the two connection pools: no poll and no heartbeat may ever wait for another call to end."""
    slots = sum(activity.concurrency for activity in found)
    return {
        "polls": sum(activity.pollers for activity in found),
        "reports": 2 * min(slots, MOST_AT_ONCE) + 1,  # half of them for heartbeats, at most; one creates activities
    }


def _say_waiting(error: ServiceError) -> None:
    log.warning("AWS not reached; trying again", error=str(error))
