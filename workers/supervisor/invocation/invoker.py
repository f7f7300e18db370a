"""The innermost call of a chain: a handler's function, run the way its kind wants."""

import asyncio
import inspect
from collections.abc import Callable
from typing import Any

from interceptors.chain import CallNext
from workers.handlers import Handler, Kind
from workers.supervisor.invocation.processes import Processes
from workers.supervisor.invocation.threads import ThreadCall, Threads
from workers.task import Task

ThreadStarted = Callable[[Task, ThreadCall], None]
"""Told of each thread that works on a task: it may go on when the wait for it has been given up."""


class Invoker:
    """Runs handlers in the event loop, in threads, or in processes (each watched by a thread)."""

    def __init__(self, threads: Threads, processes: Processes, thread_started: ThreadStarted) -> None:
        self._threads = threads
        self._processes = processes
        self._thread_started = thread_started

    def of(self, handler: Handler) -> CallNext:
        """The call that validates a task's input, runs `handler` on it and dumps what it returns."""

        async def in_loop(task: Task) -> Any:
            return handler.dump(await handler.bind(task)())

        async def in_thread(task: Task) -> Any:
            returned = await self._in_thread(task, handler.bind(task))
            return handler.dump(await returned if inspect.isawaitable(returned) else returned)

        async def in_process(task: Task) -> Any:
            lease = self._processes.lease(handler.bind(task))
            try:
                return handler.dump(await self._in_thread(task, lease.run))
            except asyncio.CancelledError:
                lease.kill()
                raise

        return {Kind.ASYNC: in_loop, Kind.THREAD: in_thread, Kind.PROCESS: in_process}[handler.kind]

    async def _in_thread(self, task: Task, call: Callable[[], Any]) -> Any:
        thread = self._threads.start(call)
        self._thread_started(task, thread)
        return await thread.result()
