"""One handler with all that stands around it in a worker, and no server."""

import json
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from types import TracebackType
from typing import Any, NamedTuple, Self

import anyio

from interceptors.chain import CallNext, Interceptor, compose
from workers.envelope import TaskContext, unwrap
from workers.errors import TaskCancelledError, UsageError
from workers.executions.start import NO_INPUT
from workers.handlers import Handler
from workers.offline.memory import MemoryStore
from workers.offline.run import Beat, OfflineRun
from workers.payloads.document import encode
from workers.registry import Registry
from workers.settings import Settings
from workers.stepfunctions.connection import Connection
from workers.supervisor.arrangement import arranged, worker_payload
from workers.supervisor.invocation.invoker import Invoker
from workers.supervisor.invocation.processes import Processes
from workers.supervisor.invocation.threads import Threads
from workers.supervisor.tasks.output import encoded
from workers.task import CancelReason, Draining, Task

_THREADS = 64
OnHeartbeat = Callable[[Any], None]


class _Entered(NamedTuple):
    """What is open while handlers run."""

    invoker: Invoker
    interceptors: dict[str, tuple[Interceptor, ...]]
    """By the name of the handler, outermost first."""

    def chain(self, handler: Handler, run: OfflineRun) -> CallNext:
        return compose(self.interceptors[handler.name], _noting(self.invoker.of(handler), run))


class ActivityEnvironment:
    """Runs handlers of a registry as a worker would, with their interceptors; Step Functions is not asked.

        environment = ActivityEnvironment(registry)
        assert await environment.run("add", {"x": 1, "y": 2}) == 3

    Lifespans and interceptors are entered for each run, or once for all that run within `async with environment:`.
    Payloads go to a store in memory, whatever store is configured; with `stored=True` they go to that. `settings`:
    as a worker's. `on_heartbeat` is called with the details of each heartbeat; `connection`: the AWS session of
    stored payloads.
    """

    def __init__(
        self,
        registry: Registry,
        *,
        settings: Settings | None = None,
        stored: bool = False,
        on_heartbeat: OnHeartbeat | None = None,
        connection: Connection | None = None,
    ) -> None:
        self.beats: list[Beat] = []
        """The heartbeats of all runs, also those that the interceptor sends by itself."""
        self._registry = registry
        self._settings = settings or Settings()
        self._memory = None if stored else MemoryStore()
        self._on_heartbeat = on_heartbeat
        self._connection = connection
        self._draining = Draining()
        self._running: dict[str, OfflineRun] = {}
        self._started = anyio.Event()
        self._entered: _Entered | None = None
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        """Enters the registry's lifespans and all of its interceptors."""
        async with AsyncExitStack() as stack:
            self._entered = await stack.enter_async_context(self._opened(self._registry))
            self._stack = stack.pop_all()
        return self

    async def __aexit__(
        self, exc_type: type[BaseException] | None, exc_value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._entered = None
        await self._stack.__aexit__(exc_type, exc_value, traceback)

    async def run(
        self,
        activity: str,
        input: Any = NO_INPUT,  # noqa: A002 - AWS's own word
        *,
        context: TaskContext | None = None,
    ) -> Any:
        """What the handler of `activity` returns, as Step Functions would get it: data out of JSON.

        `input`: any JSON value, also in the envelope of the notation; by default an empty object. `context`: where the
        task comes from; by default what the envelope says, or nothing. Raises what the handler or an interceptor
        raises, `InvalidInputError`, `InvalidOutputError` and `OutputTooLargeError` as a worker would report them, and
        `TaskCancelledError` when it was cancelled. `workers.failures.failure` says what a state machine would see of an
        error.
        """
        handler = self._registry[activity]
        async with AsyncExitStack() as stack:
            entered = self._entered
            if entered is None:
                entered = await stack.enter_async_context(self._opened([handler]))
            interval = self._settings.heartbeat if handler.heartbeat is None else handler.heartbeat
            run = OfflineRun(self._draining, interval, self._beaten)
            task = _task(handler, {} if input is NO_INPUT else input, context, run)
            return json.loads(encoded(activity, await self._result(run, entered.chain(handler, run), task)))

    def cancel(self, reason: CancelReason = CancelReason.TASK_CLOSED) -> None:
        """Cancels what runs, as a worker does whose task was closed. In the event loop. Raises `UsageError`."""
        if not self._running:
            raise UsageError("no handler runs: start one beside this, and wait for `started()`")
        for run in self._running.values():
            run.cancel(reason)

    def drain(self) -> None:
        """Says to this and all later runs that the worker is to stop: `task.draining`."""
        self._draining.set()

    async def started(self) -> None:
        """Waits until a handler is called."""
        await self._started.wait()

    async def offload(self, value: Any) -> Any:
        """`value` with claims on the store in memory in it, for an input. Only within `async with`."""
        return await self._store.payloads.offload(value, always=True)

    async def reload(self, value: Any) -> Any:
        """A result without claims. Only within `async with`."""
        return await self._store.payloads.reload(value)

    @property
    def _store(self) -> MemoryStore:
        if self._memory is None:
            raise UsageError("this environment has no store in memory: it was made with stored=True")
        return self._memory

    async def _result(self, run: OfflineRun, chain: CallNext, task: Task) -> Any:
        self._running[run.token] = run
        self._started.set()
        try:
            with run.scope:
                return await chain(task)
        finally:
            del self._running[run.token]
            if not self._running:
                self._started = anyio.Event()
        raise TaskCancelledError(f"the task was cancelled: {run.cancel_reason}")

    def _beaten(self, beat: Beat) -> None:
        self.beats.append(beat)
        if self._on_heartbeat:
            self._on_heartbeat(beat.details)

    @asynccontextmanager
    async def _opened(self, handlers: Iterable[Handler]) -> AsyncIterator[_Entered]:
        """What `handlers` need is open: lifespans, each of their interceptors once, threads and processes."""
        threads, processes = Threads(_THREADS), Processes(recycle=self._settings.recycle)
        invoker = Invoker(threads, processes, lambda task: self._running[task.token])
        try:
            async with AsyncExitStack() as stack:
                if self._memory:
                    await stack.enter_async_context(self._memory)
                for lifespan in self._registry.lifespans:
                    await stack.enter_async_context(lifespan())
                yield _Entered(invoker, await self._interceptors(stack, handlers))
        finally:
            processes.close()
            threads.close()

    async def _interceptors(
        self, stack: AsyncExitStack, handlers: Iterable[Handler]
    ) -> dict[str, tuple[Interceptor, ...]]:
        settings = self._settings.model_copy(update={"payloads": self._memory.url}) if self._memory else self._settings
        payload = worker_payload(settings)
        listed = {handler.name: arranged(handler, payload) for handler in handlers}
        opened: dict[int, Interceptor] = {}
        for one in (one for chain in listed.values() for one in chain if id(one) not in opened):
            used: Any = self._memory.instead_of(one) if self._memory else one
            if self._connection and hasattr(used, "use_aws"):
                used.use_aws(self._connection.session, self._connection.endpoint_url)
            if hasattr(used, "__aenter__"):
                await stack.enter_async_context(used)
            opened[id(one)] = used
        return {name: tuple(opened[id(one)] for one in chain) for name, chain in listed.items()}


def _task(handler: Handler, given: Any, context: TaskContext | None, run: OfflineRun) -> Task:
    found, value = unwrap(json.loads(encode(given)))
    return Task(
        activity=handler.name,
        token=run.token,
        input=value,
        context=context or found,
        run=run,
        streams=handler.arguments.streams,
    )


def _noting(call: CallNext, run: OfflineRun) -> CallNext:
    """`call`, with the details of heartbeats noted as well as saved."""

    async def noting(task: Task) -> Any:
        save = task.save_progress

        def note(details: Any) -> None:
            run.details(details)
            if save:
                save(details)

        return await call(replace(task, save_progress=note))

    return noting
