"""Forgetting: workflows that ended long ago."""

from datetime import timedelta

import anyio
import structlog

from workers.manager.errors import ManagerError
from workers.manager.model import now
from workers.manager.store.interface import Store
from workers.manager.sync.leading import Turn

log = structlog.get_logger(__name__)

EVERY = 600.0
"""Seconds between two looks for what is old."""
_BATCH = 500
_BREATH = 0.05
"""Seconds between two batches, in which others may write."""


async def sweep(store: Store, keep: timedelta) -> int:
    """Deletes workflows that ended longer than `keep` ago; returns how many. Raises `StoreUnavailableError`."""
    before = now() - keep
    deleted = 0
    while gone := await store.delete_finished(before, limit=_BATCH):
        deleted += gone
        await anyio.sleep(_BREATH)
    return deleted


async def keep_swept(store: Store, keep: timedelta, turn: Turn) -> None:
    """Does so again and again, until it is cancelled or its turn is over."""
    while turn.holds:
        try:
            if deleted := await sweep(store, keep):
                log.info("old workflows deleted", workflows=deleted)
        except ManagerError as error:
            log.warning("old workflows cannot be deleted", error=str(error))
        await anyio.sleep(EVERY)
