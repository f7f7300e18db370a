"""SIGTERM and SIGINT: the first drains, the second forces."""

import signal
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import anyio
import structlog

from workers.errors import ExitCode
from workers.supervisor.leave import leave

log = structlog.get_logger(__name__)

_TO_LEAVE = 5.0
"""Seconds after the second signal in which a worker must have ended by itself."""


@asynccontextmanager
async def drain_on_signals(drain: Callable[[], None], force: Callable[[], None]) -> AsyncIterator[None]:
    """Calls `drain` at the first SIGTERM or SIGINT and `force` at the second, while entered.

    Whatever does not end then - a handler, a lifespan - does not keep the process: it leaves with exit code 3.
    """
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
        for react in (drain, force):
            number = await anext(received)
            log.info("signal received", signal=signal.Signals(number).name)
            react()
        await anyio.sleep(_TO_LEAVE)
        log.error("leaving without what does not end")
        leave(ExitCode.FORCED)
