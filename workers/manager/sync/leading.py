"""Work that one process does for all: as long as it holds a lease."""

from collections.abc import Callable, Coroutine
from typing import Any

import anyio
import structlog

from workers.manager.errors import ManagerError
from workers.manager.store.interface import Lease, Store

log = structlog.get_logger(__name__)

LEASE = 15.0
"""Seconds for which nobody else takes the work over when its process has died."""
_RENEWED = LEASE / 3
_GIVEN_BACK = 2.0
"""Seconds that giving a lease back may take at the end."""


class Turn:
    """The time for which this process may work. It ends by the clock of this machine, whoever tells it or not."""

    def __init__(self, until: float) -> None:
        self.until = until
        """On the clock of the event loop, which goes on while a process is stopped."""

    @property
    def holds(self) -> bool:
        """Whether it may go on: to be asked before anything is done that others would do, too."""
        return anyio.current_time() < self.until


async def lead(store: Store, name: str, owner: str, work: Callable[[Turn], Coroutine[Any, Any, None]]) -> None:
    """Does `work` while this process holds the lease `name`, and waits for it while another one does.

    A process that was stopped in the middle and is continued finds that its turn is over, before anybody tells it. What
    is on its way then arrives late, and the work must bear that.
    """
    while True:
        begun = anyio.current_time()
        lease = await _acquired(store, name, owner)
        if not lease:
            await anyio.sleep(_RENEWED)
            continue
        log.info("leading", work=name)
        turn = Turn(begun + LEASE)
        try:
            async with anyio.create_task_group() as group:
                group.start_soon(work, turn)
                await _hold(store, lease, turn)
                group.cancel_scope.cancel()
        except anyio.get_cancelled_exc_class():
            with anyio.move_on_after(_GIVEN_BACK, shield=True):
                await _give_back(store, lease)
            raise
        log.warning("not leading any more", work=name)


async def _hold(store: Store, lease: Lease, turn: Turn) -> None:
    """Renews the lease until it is lost. While the store does not answer, it is kept as long as it lasts."""
    while turn.holds:
        await anyio.sleep(_RENEWED)
        begun = anyio.current_time()
        try:
            held = await store.acquire_lease(lease.name, lease.owner, LEASE)
        except ManagerError as error:
            log.warning("lease cannot be renewed", work=lease.name, error=str(error))
            continue
        if held is None or held.token != lease.token:
            return
        turn.until = begun + LEASE


async def _acquired(store: Store, name: str, owner: str) -> Lease | None:
    try:
        return await store.acquire_lease(name, owner, LEASE)
    except ManagerError as error:
        log.warning("lease cannot be renewed", work=name, error=str(error))
        return None


async def _give_back(store: Store, lease: Lease) -> None:
    try:
        await store.release_lease(lease)
    except ManagerError as error:
        log.warning("lease cannot be given back", work=lease.name, error=str(error))
