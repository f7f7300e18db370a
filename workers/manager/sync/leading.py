"""Work that one process does for all: as long as it holds a lease."""

from collections.abc import Callable, Coroutine
from typing import Any

import anyio
import structlog

from workers.manager.errors import ManagerError
from workers.manager.store.interface import Store

log = structlog.get_logger(__name__)

LEASE = 15.0
"""Seconds for which nobody else takes the work over when its process has died."""
_RENEWED = LEASE / 3


async def lead(store: Store, name: str, owner: str, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """Does `work` while this process holds the lease `name`, and waits for it while another one does.

    A process that was stopped in the middle does not know that it has lost the lease until it is continued, so two may
    work for a moment; the work must bear that.
    """
    while True:
        held = await _holds(store, name, owner)
        if not held:
            await anyio.sleep(_RENEWED)
            continue
        log.info("leading", work=name)
        async with anyio.create_task_group() as group:
            group.start_soon(work)
            until = anyio.current_time() + LEASE
            while anyio.current_time() < until:
                await anyio.sleep(_RENEWED)
                begun = anyio.current_time()
                held = await _holds(store, name, owner)
                if held:
                    until = begun + LEASE
                elif held is False:
                    break
            log.warning("not leading any more", work=name)
            group.cancel_scope.cancel()


async def _holds(store: Store, name: str, owner: str) -> bool | None:
    """Whether the lease was taken or renewed; None where the store does not say."""
    try:
        return await store.acquire_lease(name, owner, LEASE) is not None
    except ManagerError as error:
        log.warning("lease cannot be renewed", work=name, error=str(error))
        return None
