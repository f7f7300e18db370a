"""Tokens in a SQLite file: for the processes of one machine."""

import time
from pathlib import Path
from typing import Self

from workers.callbacks.errors import CallbackStoreError
from workers.callbacks.store import Stored
from workers.sqlite_file import SqliteFile

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
        self._file = SqliteFile(
            path, _SCHEMA, busy=_BUSY, failed=lambda error: CallbackStoreError(f"callbacks in {path}: {error}")
        )
        self._clean_at = 0.0

    async def create(self) -> None:
        """See `TokenStore`: entering it has made the file."""

    async def __aenter__(self) -> Self:
        await self._file.__aenter__()
        return self

    async def __aexit__(self, *failure: object) -> None:
        await self._file.__aexit__(*failure)

    async def load(self, key: str) -> Stored | None:
        """See `TokenStore`."""
        found = await self._file.rows("SELECT text, version, expires FROM callbacks WHERE key = ?", key)
        return Stored(*found[0]) if found else None

    async def save(self, key: str, text: str, *, version: int, expires: float, pending: bool) -> bool:
        """See `TokenStore`. Also deletes what has expired, from time to time."""
        now = time.time()
        values = (text, version + 1, expires, now if pending else None, key)

        def write() -> bool:
            if now >= self._clean_at:
                self._clean_at = now + _CLEAN_EVERY
                self._file.execute("DELETE FROM callbacks WHERE expires < ? AND key <> ?", now, key)
            if version:
                change = "UPDATE callbacks SET text=?, version=?, expires=?, pending=? WHERE key = ? AND version = ?"
                return self._file.change(change, *values, version)
            change = "INSERT OR IGNORE INTO callbacks (text, version, expires, pending, key) VALUES (?, ?, ?, ?, ?)"
            return self._file.change(change, *values)

        return await self._file.call(write)

    async def pending(self, *, before: float, limit: int) -> list[str]:
        """See `TokenStore`."""
        query = "SELECT key FROM callbacks WHERE pending < ? ORDER BY pending LIMIT ?"
        return [key for (key,) in await self._file.rows(query, before, limit)]
