"""SIGTERM and SIGINT: the first drains, the second forces."""

import signal
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import anyio
import structlog

log = structlog.get_logger(__name__)


@asynccontextmanager
async def drain_on_signals(drain: Callable[[], None], force: Callable[[], None]) -> AsyncIterator[None]:
    """Calls `drain` at the first SIGTERM or SIGINT and `force` at every later one, while entered."""
    async with anyio.create_task_group() as group:
        await group.start(_receive, drain, force, name="signals")
        try:
            yield
        finally:
            group.cancel_scope.cancel()


async def _receive(
    drain: Callable[[], None], force: Callable[[], None], *, task_status: anyio.abc.TaskStatus[None]
) -> None:
    with anyio.open_signal_receiver(signal.SIGTERM, signal.SIGINT) as received:
        task_status.started()
        first = True
        async for number in received:
            log.info("signal received", signal=signal.Signals(number).name)
            (drain if first else force)()
            first = False
