"""Tokens in a SQLite file: for the processes of one machine."""

import sqlite3
import time
from collections.abc import Callable
from pathlib import Path
from typing import Self, TypeVar

import anyio
import anyio.to_thread

from workers.callbacks.errors import CallbackStoreError
from workers.callbacks.store import Stored

T = TypeVar("T")

_SCHEMA = """
CREATE TABLE IF NOT EXISTS callbacks (
    key TEXT PRIMARY KEY,
    text TEXT NOT NULL,
    version INTEGER NOT NULL,
    expires REAL NOT NULL,
    pending REAL
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS callbacks_expires ON callbacks (expires);
CREATE INDEX IF NOT EXISTS callbacks_pending ON callbacks (pending) WHERE pending IS NOT NULL;
"""
_BUSY = 30.0
"""Seconds to wait for another process that writes."""
_CLEAN_EVERY = 60.0


class SqliteTokens:
    """Tokens in the file `path`, which several processes may share."""

    def __init__(self, path: str | Path) -> None:
        self._path = Path(path)
        self._turn = anyio.Lock()
        self._clean_at = 0.0

    async def create(self) -> None:
        """See `TokenStore`: entering it has made the file."""

    async def __aenter__(self) -> Self:
        def connect() -> sqlite3.Connection:
            connection = sqlite3.connect(self._path, timeout=_BUSY, isolation_level=None, check_same_thread=False)
            connection.execute("PRAGMA journal_mode = WAL")
            connection.executescript(_SCHEMA)
            return connection

        self._connection = await self._call(connect)
        return self

    async def __aexit__(self, *failure: object) -> None:
        await self._call(self._connection.close)

    async def load(self, key: str) -> Stored | None:
        """See `TokenStore`."""
        query = "SELECT text, version, expires FROM callbacks WHERE key = ?"
        found = await self._call(lambda: self._connection.execute(query, (key,)).fetchone())
        return Stored(*found) if found else None

    async def save(self, key: str, text: str, *, version: int, expires: float, pending: bool) -> bool:
        """See `TokenStore`. Also deletes what has expired, from time to time."""
        now = time.time()
        values = (text, version + 1, expires, now if pending else None, key)

        def write() -> bool:
            if now >= self._clean_at:
                self._clean_at = now + _CLEAN_EVERY
                self._connection.execute("DELETE FROM callbacks WHERE expires < ? AND key <> ?", (now, key))
            if version:
                change = "UPDATE callbacks SET text=?, version=?, expires=?, pending=? WHERE key = ? AND version = ?"
                return self._connection.execute(change, (*values, version)).rowcount > 0
            change = "INSERT OR IGNORE INTO callbacks (text, version, expires, pending, key) VALUES (?, ?, ?, ?, ?)"
            return self._connection.execute(change, values).rowcount > 0

        return await self._call(write)

    async def pending(self, *, before: float, limit: int) -> list[str]:
        """See `TokenStore`."""
        query = "SELECT key FROM callbacks WHERE pending < ? ORDER BY pending LIMIT ?"
        found = await self._call(lambda: self._connection.execute(query, (before, limit)).fetchall())
        return [key for (key,) in found]

    async def _call(self, work: Callable[[], T]) -> T:
        """Does `work` in a thread; one at a time, because it is one connection."""
        async with self._turn:
            try:
                return await anyio.to_thread.run_sync(work)
            except sqlite3.Error as error:
                raise CallbackStoreError(f"callbacks in {self._path}: {error}") from error
