"""Records of work in a SQLite file: for the workers of one machine."""

from pathlib import Path
from typing import Self

from interceptors.records import Record, RecordStoreError
from workers.sqlite_file import SqliteFile

_SCHEMA = """
CREATE TABLE IF NOT EXISTS work (
    key TEXT PRIMARY KEY,
    owner TEXT NOT NULL,
    done INTEGER NOT NULL,
    result BLOB,
    until REAL NOT NULL
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS work_until ON work (until);
"""
_BUSY = 10.0
"""Seconds to wait for another process that writes."""


class SqliteRecords:
    """Records in the file `path`, which several processes may share."""

    def __init__(self, path: str | Path) -> None:
        self._file = SqliteFile(
            path, _SCHEMA, busy=_BUSY, failed=lambda error: RecordStoreError(f"records in {path}: {error}")
        )

    async def __aenter__(self) -> Self:
        await self._file.__aenter__()
        return self

    async def __aexit__(self, *failure: object) -> None:
        await self._file.__aexit__(*failure)

    async def begin(self, key: str, owner: str, *, now: float, until: float) -> Record | None:
        """See `RecordStore`."""

        def write() -> Record | None:
            self._file.change("DELETE FROM work WHERE until < ?", now)
            if self._file.change("INSERT OR IGNORE INTO work VALUES (?, ?, 0, NULL, ?)", key, owner, until):
                return None
            done, result = self._file.execute("SELECT done, result FROM work WHERE key = ?", key).fetchone()
            return Record(bool(done), result)

        return await self._file.transaction(write)

    async def renew(self, key: str, owner: str, *, until: float) -> bool:
        """See `RecordStore`."""
        change = "UPDATE work SET until = ? WHERE key = ? AND owner = ?"
        return await self._file.transaction(lambda: self._file.change(change, until, key, owner))

    async def finish(self, key: str, owner: str, result: bytes | None, *, until: float) -> bool:
        """See `RecordStore`."""
        change = "UPDATE work SET done = 1, result = ?, until = ? WHERE key = ? AND owner = ?"
        return await self._file.transaction(lambda: self._file.change(change, result, until, key, owner))

    async def release(self, key: str, owner: str) -> None:
        """See `RecordStore`."""
        change = "DELETE FROM work WHERE key = ? AND owner = ? AND done = 0"
        await self._file.transaction(lambda: self._file.change(change, key, owner))
