"""SQLite by aiosqlite, with one trip to its thread for a statement.

Four are usual: to make a cursor, to execute, to fetch, to close. Each costs as much as a small statement itself.
"""

import sqlite3
from collections.abc import Sequence
from functools import partial
from typing import Any, Self

import aiosqlite


class Cursor:
    """A cursor as SQLAlchemy asks for it: what a statement gives is here when it has been executed."""

    arraysize = 1

    def __init__(self, connection: "Connection") -> None:
        self._connection = connection
        self._rows: list[Any] = []
        self.description: Any = None
        self.rowcount = -1
        self.lastrowid: int | None = None

    async def __aenter__(self) -> Self:
        return self

    async def execute(self, statement: str, parameters: Sequence[Any] = ()) -> None:
        """Executes a statement, and fetches all that it gives."""
        await self._connection.trip(partial(self._done, sqlite3.Cursor.execute, statement, parameters))

    async def executemany(self, statement: str, parameters: Sequence[Sequence[Any]]) -> None:
        """Executes a statement with one row of parameters after the other."""
        await self._connection.trip(partial(self._done, sqlite3.Cursor.executemany, statement, parameters))

    async def fetchall(self) -> list[Any]:
        """What has been fetched."""
        return self._rows

    async def close(self) -> None:
        """Nothing is left to be done."""

    def _done(self, execute: Any, statement: str, parameters: Sequence[Any], connection: sqlite3.Connection) -> None:
        cursor = connection.cursor()
        try:
            execute(cursor, statement, parameters)
            self.description, self.rowcount, self.lastrowid = cursor.description, cursor.rowcount, cursor.lastrowid
            self._rows = cursor.fetchall() if cursor.description else []
        finally:
            cursor.close()


class Connection(aiosqlite.Connection):
    """A connection whose statements are one trip each."""

    def cursor(self) -> Any:
        """See `Cursor`."""
        return Cursor(self)

    async def trip(self, work: Any) -> Any:
        """What `work` returns for the connection of the thread, there."""
        return await self._execute(lambda: work(self._conn))  # type: ignore[no-untyped-call]


def connect(database: str, **options: Any) -> Connection:
    """A connection to be awaited; `options`: those of `sqlite3.connect`."""
    connection = Connection(partial(sqlite3.connect, database, **options), iter_chunk_size=1)
    connection._thread.daemon = True  # noqa: SLF001 - as SQLAlchemy has it: a forgotten connection ends with the process
    return connection
