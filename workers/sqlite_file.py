"""One connection to a SQLite file, which several processes of a machine may share; for programs that must not block."""

import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self, TypeVar

import anyio
import anyio.to_thread

T = TypeVar("T")


class SqliteFile:
    """The file `path`, with the tables of `schema` once it is entered.

    `busy`: seconds to wait for another process that writes. `failed` makes the error that is raised, of SQLite's.
    """

    def __init__(
        self, path: str | Path, schema: str, *, busy: float, failed: Callable[[sqlite3.Error], Exception]
    ) -> None:
        self._path = Path(path)
        self._schema = schema
        self._busy = busy
        self._failed = failed
        self._turn = anyio.Lock()

    async def __aenter__(self) -> Self:
        def connect() -> sqlite3.Connection:
            connection = sqlite3.connect(self._path, timeout=self._busy, isolation_level=None, check_same_thread=False)
            connection.execute("PRAGMA journal_mode = WAL")
            connection.executescript(self._schema)
            return connection

        self._connection = await self.call(connect)
        return self

    async def __aexit__(self, *failure: object) -> None:
        await self.call(self._connection.close)

    def execute(self, statement: str, *values: object) -> sqlite3.Cursor:
        """Runs a statement: within `call` or `transaction`."""
        return self._connection.execute(statement, values)

    def change(self, statement: str, *values: object) -> bool:
        """Whether the statement changed anything: within `call` or `transaction`."""
        return self.execute(statement, *values).rowcount > 0

    async def rows(self, query: str, *values: object) -> list[Any]:
        """All rows of a query."""
        return await self.call(lambda: self.execute(query, *values).fetchall())

    async def transaction(self, work: Callable[[], T]) -> T:
        """Does `work`, all of it or nothing."""

        def done() -> T:
            self.execute("BEGIN IMMEDIATE")
            try:
                result = work()
            except BaseException:
                self.execute("ROLLBACK")
                raise
            self.execute("COMMIT")
            return result

        return await self.call(done)

    async def call(self, work: Callable[[], T]) -> T:
        """Does `work` in a thread; one at a time, because it is one connection."""
        async with self._turn:
            try:
                return await anyio.to_thread.run_sync(work)
            except sqlite3.Error as error:
                raise self._failed(error) from error
