"""Threads for handlers that are plain functions."""

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import copy_context
from typing import Any

from workers.supervisor.leave import HANDLER_THREADS


class ThreadCall:
    """A call in a thread. It cannot be stopped: who no longer waits for it leaves it running."""

    def __init__(self, call: Callable[[], Any]) -> None:
        self.ident: int | None = None
        """Identifier of the thread, once the call runs."""
        self.future: Future[Any]
        self._call = call
        self._context = copy_context()
        self._loop = asyncio.get_running_loop()

    def __call__(self) -> Any:
        """The call itself, with the context variables of whoever made it."""
        self.ident = threading.get_ident()
        return self._context.run(self._call)

    @property
    def done(self) -> bool:
        """Whether the thread has finished with it."""
        return self.future.done()

    async def result(self) -> Any:
        """What the call returned or raised."""
        return await asyncio.wrap_future(self.future)

    async def ended(self) -> None:
        """Waits until the thread has finished with it."""
        ended = asyncio.Event()
        self.when_done(ended.set)
        await ended.wait()

    def when_done(self, react: Callable[[], object]) -> None:
        """Calls `react()` in the event loop once the thread has finished with it."""

        def done(_: object) -> None:
            if not self._loop.is_closed():
                self._loop.call_soon_threadsafe(react)

        self.future.add_done_callback(done)


class Threads:
    """A pool as large as the slots it serves, so that no task with a slot ever waits for a thread."""

    def __init__(self, size: int) -> None:
        self._pool = ThreadPoolExecutor(max(1, size), thread_name_prefix=HANDLER_THREADS)
        self._running: set[Future[Any]] = set()

    def start(self, call: Callable[[], Any]) -> ThreadCall:
        """Starts `call` in a thread."""
        started = ThreadCall(call)
        started.future = self._pool.submit(started)
        self._running.add(started.future)
        started.future.add_done_callback(self._running.discard)
        return started

    def close(self) -> None:
        """Takes no more calls, and ends the threads; does not wait for any while one still runs a call."""
        self._pool.shutdown(wait=not self._running, cancel_futures=True)
