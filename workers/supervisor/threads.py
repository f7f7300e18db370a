"""Threads for handlers that are plain functions."""

import asyncio
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import copy_context
from typing import Any


class Threads:
    """A pool as large as the slots it serves, so that no task with a slot ever waits for a thread."""

    def __init__(self, size: int) -> None:
        self._pool = ThreadPoolExecutor(max(1, size), thread_name_prefix="handler")

    def start(self, call: Callable[[], Any]) -> "Future[Any]":
        """Starts `call` in a thread, with the context variables of the caller."""
        return self._pool.submit(copy_context().run, call)

    @staticmethod
    async def result(future: "Future[Any]") -> Any:
        """What the call returned. A cancelled wait leaves the thread running: a thread cannot be stopped."""
        return await asyncio.wrap_future(future)

    def close(self) -> None:
        """Takes no more calls; does not wait for the threads that still run."""
        self._pool.shutdown(wait=False, cancel_futures=True)
