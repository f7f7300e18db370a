"""The innermost call of a chain: a handler's function, run the way its kind wants."""

import asyncio
import inspect
from collections.abc import Callable
from typing import Any, Protocol

from interceptors.chain import CallNext
from workers.handlers import Handler, Kind
from workers.supervisor.invocation.processes import Lease, Processes
from workers.supervisor.invocation.threads import ThreadCall, Threads
from workers.task import Task


class Worked(Protocol):
    """A running task: remembers what works on it."""

    thread: ThreadCall | None
    lease: Lease | None


class Invoker:
    """Runs handlers in the event loop, in threads, or in processes (each watched by a thread)."""

    def __init__(self, threads: Threads, processes: Processes, run_of: Callable[[Task], Worked]) -> None:
        self._threads = threads
        self._processes = processes
        self._run_of = run_of

    def of(self, handler: Handler) -> CallNext:
        """The call that validates a task's input, runs `handler` on it and dumps what it returns."""

        read, function, dump = handler.arguments.read, handler.function, handler.result.dump

        async def in_loop(task: Task) -> Any:
            positional, named = read(task)
            return dump(await function(*positional, **named))

        async def in_thread(task: Task) -> Any:
            returned = await self._in_thread(task, handler.bind(task))
            return handler.dump(await returned if inspect.isawaitable(returned) else returned)

        async def in_process(task: Task) -> Any:
            lease = self._processes.lease(handler.bind(task))
            try:
                return handler.dump(await self._in_thread(task, lease.run, lease))
            except asyncio.CancelledError:
                lease.kill()
                raise

        return {Kind.ASYNC: in_loop, Kind.THREAD: in_thread, Kind.PROCESS: in_process}[handler.kind]

    async def _in_thread(self, task: Task, call: Callable[[], Any], lease: Lease | None = None) -> Any:
        """What `call` gives, in a thread: a task has one at a time, as it has one slot.

        Where a timeout has given up a thread that goes on, another attempt of the same task waits for its end: the
        threads never outgrow the slots, and no handler meets itself at work.
        """
        run = self._run_of(task)
        while run.thread and not run.thread.done:
            await run.thread.ended()
        run.thread, run.lease = self._threads.start(call), lease
        return await run.thread.result()
