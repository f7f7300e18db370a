"""`--metrics emf` of the service: its numbers in CloudWatch's embedded metric format, printed once a minute."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress

import anyio
import anyio.to_thread
import structlog

from workers.emf import EmbeddedLines, to_stdout
from workers.manager.api.measuring import Measures
from workers.manager.errors import ManagerError
from workers.manager.store.interface import Store
from workers.payloads.together import background

log = structlog.get_logger(__name__)

_INTERVAL = 60.0


@asynccontextmanager
async def printed(
    measures: Measures, store: Store, *, interval: float = _INTERVAL, write: Callable[[str], None] = to_stdout
) -> AsyncIterator[None]:
    """Prints at once, then every `interval` seconds, and what is left at the end."""
    lines = EmbeddedLines(measures.families, dict)

    async def print_all() -> None:
        try:
            await measures.count(store)
        except ManagerError as error:  # what was counted before is old; what was added is printed the next time
            log.warning("workflows cannot be counted", error=str(error))
            return
        text = "\n".join(lines.lines())
        if text:
            await anyio.to_thread.run_sync(write, text)

    async def keep_printing() -> None:
        try:
            while True:
                await print_all()
                await anyio.sleep(interval)
        except OSError as error:
            log.warning("metrics no longer printed", error=str(error))

    try:
        async with background() as group:
            group.start_soon(keep_printing, name="print metrics")
            yield
    finally:
        with anyio.CancelScope(shield=True), anyio.move_on_after(5), suppress(OSError):
            await print_all()
