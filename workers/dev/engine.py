"""The embedded Step Functions for the loop: the one that runs, or one of its own."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio

from workers.local import LocalStepFunctions
from workers.settings import Settings


@asynccontextmanager
async def engine(settings: Settings) -> AsyncIterator[bool]:
    """Something answers at the engine's port while this is entered. Gives whether it was started here.

    Raises `UsageError` and `MissingExtraError`.
    """
    if not settings.local or await _answers(settings.local_port):
        yield False
        return
    async with LocalStepFunctions(port=settings.local_port):
        yield True


async def _answers(port: int) -> bool:
    try:
        with anyio.fail_after(2):
            stream = await anyio.connect_tcp("127.0.0.1", port)
            await stream.aclose()
    except (OSError, TimeoutError):
        return False
    return True
