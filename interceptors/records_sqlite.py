"""Records of work in a SQLite file: for the workers of one machine."""

import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Self, TypeVar

import anyio
import anyio.to_thread

from interceptors.records import Record, RecordStoreError

T = TypeVar("T")

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
        self._path = Path(path)
        self._turn = anyio.Lock()

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

    async def begin(self, key: str, owner: str, *, now: float, until: float) -> Record | None:
        """See `RecordStore`."""

        def write() -> Record | None:
            self._change("DELETE FROM work WHERE until < ?", now)
            if self._change("INSERT OR IGNORE INTO work VALUES (?, ?, 0, NULL, ?)", key, owner, until):
                return None
            done, result = self._connection.execute("SELECT done, result FROM work WHERE key = ?", (key,)).fetchone()
            return Record(bool(done), result)

        return await self._transaction(write)

    async def renew(self, key: str, owner: str, *, until: float) -> bool:
        """See `RecordStore`."""
        return await self._transaction(
            lambda: self._change("UPDATE work SET until = ? WHERE key = ? AND owner = ?", until, key, owner)
        )

    async def finish(self, key: str, owner: str, result: bytes | None, *, until: float) -> bool:
        """See `RecordStore`."""
        change = "UPDATE work SET done = 1, result = ?, until = ? WHERE key = ? AND owner = ?"
        return await self._transaction(lambda: self._change(change, result, until, key, owner))

    async def release(self, key: str, owner: str) -> None:
        """See `RecordStore`."""
        change = "DELETE FROM work WHERE key = ? AND owner = ? AND done = 0"
        await self._transaction(lambda: self._change(change, key, owner))

    def _change(self, statement: str, *values: object) -> bool:
        """Whether the statement changed anything."""
        return self._connection.execute(statement, values).rowcount > 0

    async def _transaction(self, work: Callable[[], T]) -> T:
        def done() -> T:
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                result = work()
            except BaseException:
                self._connection.execute("ROLLBACK")
                raise
            self._connection.execute("COMMIT")
            return result

        return await self._call(done)

    async def _call(self, work: Callable[[], T]) -> T:
        """Does `work` in a thread; one at a time, because it is one connection."""
        async with self._turn:
            try:
                return await anyio.to_thread.run_sync(work)
            except sqlite3.Error as error:
                raise RecordStoreError(f"records in {self._path}: {error}") from error
