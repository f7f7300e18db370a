"""What a task says about its progress, kept for the next attempt of the same task."""

import asyncio
import hashlib
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import anyio
import structlog

from workers.payloads.document import encode
from workers.payloads.errors import PayloadError, PayloadMissingError, PayloadTooLargeError
from workers.payloads.store import Store
from workers.payloads.together import background
from workers.task import Task

log = structlog.get_logger(__name__)

FOLDER = "progress"
LIMIT = 1 << 20
"""Bytes of JSON that a task may note."""
_BETWEEN_WRITES = 1.0
"""Seconds at least from one write to the next: of notes in between only the last one counts."""


class Progress:
    """The note of `task`, whose context is known, in `store` under its idempotency key. The latest write wins.

    It is a help, not a truth: where the store fails, the task goes on without it.
    """

    def __init__(self, store: Store, task: Task) -> None:
        self._store = store
        self._task = task
        self._loop = asyncio.get_running_loop()
        self._noted = anyio.Event()
        self._note: bytes | None = None
        self._kept: bytes | None = None
        self._exists = False

    @property
    def _key(self) -> str:
        return f"{FOLDER}/{self._task.idempotency_key}"

    async def load(self) -> Any:
        """What an earlier attempt noted last, or None."""
        try:
            note = json.loads(await self._store.get(self._key, LIMIT))
        except PayloadMissingError:
            return None
        except (PayloadError, ValueError) as error:
            log.warning("progress of an earlier attempt cannot be read", error=str(error))
            return None
        self._exists = True
        return note

    def save(self, details: Any) -> None:
        """Notes `details`, any JSON value, soon. From any thread. Raises `PayloadError` for what cannot be noted."""
        note = encode(details)
        if len(note) > LIMIT:
            raise PayloadTooLargeError(f"progress of {len(note):,} bytes is noted; at most {LIMIT:,} are kept")
        self._note = note
        self._loop.call_soon_threadsafe(self._noted.set)

    @asynccontextmanager
    async def kept(self) -> AsyncIterator[None]:
        """Writes what is noted while it is entered. Left well, it forgets the note; left with an error, it keeps it.

        A cancelled task writes no more: the next attempt may have noted more already.
        """
        try:
            async with background() as group:
                group.start_soon(self._write_notes, name="progress")
                yield
        except Exception:
            with anyio.CancelScope(shield=True):
                await self._write()
            raise
        with anyio.CancelScope(shield=True):
            await self._forget()

    async def _write_notes(self) -> None:
        while True:
            await self._noted.wait()
            await self._write()
            await anyio.sleep(_BETWEEN_WRITES)

    async def _write(self) -> None:
        self._noted = anyio.Event()
        note = self._note
        if note is None or note is self._kept:
            return
        self._exists = True
        try:
            await self._store.put(self._key, note, hashlib.sha256(note).digest())
        except PayloadError as error:
            log.warning("progress cannot be written", error=str(error))
        self._kept = note  # not when the write was cancelled: then it is done again

    async def _forget(self) -> None:
        if not self._exists:
            return
        try:
            await self._store.delete([self._key])
        except PayloadError as error:
            log.warning("progress cannot be removed", error=str(error))
