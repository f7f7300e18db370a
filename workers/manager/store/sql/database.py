"""The database: connections, transactions, and what goes wrong with them."""

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from functools import partial
from typing import Any

from anyio import CancelScope
from anyio.lowlevel import checkpoint_if_cancelled
from sqlalchemy import Connection, event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import (
    ArgumentError,
    DBAPIError,
    InterfaceError,
    NoSuchModuleError,
    OperationalError,
    SQLAlchemyError,
)
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.pool import AsyncAdaptedQueuePool

from workers.errors import UsageError
from workers.manager.errors import StoreUnavailableError
from workers.manager.store.sql.postgresql import engine_options, is_ours, passes, postgresql_url, watch
from workers.manager.store.sql.sharing import Writers
from workers.manager.store.sql.sqlite import connect

_READERS = 4
_WRITERS = 8
"""Connections of PostgreSQL that write; SQLite has one."""
_WAIT = 5.0
"""Seconds that a transaction waits for others, in this process and in others."""
_CACHE = 8 * 1024
"""KiB of pages that a connection to SQLite keeps."""


_Begin = Callable[[], AbstractAsyncContextManager[AsyncConnection]]


def database_url(text: str) -> URL:
    """A database's URL: `sqlite:///FILE`, `sqlite://` for one in memory, `postgresql://…`.

    Raises `UsageError`, and `MissingExtraError`.
    """
    try:
        url = make_url(text)
    except ArgumentError as error:
        raise UsageError(f"{text!r} is no URL of a database: {error}") from None
    if is_ours(url):
        return postgresql_url(url)
    if url.drivername != "sqlite":
        raise UsageError(f"{text!r} is no URL of a database here: give sqlite:///FILE, postgresql://… or dynamodb://…")
    return url.set(drivername="sqlite+aiosqlite")


class Database:
    """Connections to one database, for reading and for writing.

    SQLite lets one write at a time. In this process they queue up for the one connection that writes, which is fair
    and costs no polling, and those that wait share a transaction; between processes they wait for the file's lock,
    which is taken at the beginning, so that nothing that was read in a transaction has changed when it writes. A
    database in memory has one connection in all.

    PostgreSQL lets many write: what a transaction has read and relies on, it locks.
    """

    def __init__(self, url: str) -> None:
        self.url = database_url(url)
        is_sqlite = self.url.get_backend_name() == "sqlite"
        in_memory = is_sqlite and self.url.database in {None, "", ":memory:"}
        try:
            if in_memory:
                self._writer = self._reader = self._engine(1, "IMMEDIATE")
            elif is_sqlite:
                self._writer, self._reader = self._engine(1, "IMMEDIATE"), self._engine(_READERS, "DEFERRED")
            else:
                self._writer, self._reader = (
                    create_async_engine(self.url, **_pool(number), **engine_options(reads=reads))
                    for number, reads in ((_WRITERS, False), (_READERS, True))
                )
                for engine in (self._writer, self._reader):
                    watch(engine)
        except (NoSuchModuleError, ModuleNotFoundError, SQLAlchemyError) as error:
            raise UsageError(f"the database {self.url!r} cannot be used: {error}") from error
        self._begin_write = Writers(self._writer, wait=_WAIT).write if is_sqlite else self._writer.begin
        single = self._reader if is_sqlite else self._reader.execution_options(isolation_level="AUTOCOMMIT")
        self._begin_look = single.begin

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncConnection]:
        """A transaction that only reads: all it reads is of one moment. Raises `StoreUnavailableError`."""
        async with _transaction(self._reader.begin) as connection:
            yield connection

    @asynccontextmanager
    async def look(self) -> AsyncIterator[AsyncConnection]:
        """For one statement that only reads, which is of one moment by itself. Raises `StoreUnavailableError`."""
        async with _transaction(self._begin_look) as connection:
            yield connection

    @asynccontextmanager
    async def write(self) -> AsyncIterator[AsyncConnection]:
        """A transaction that writes: whole, or not at all. Raises `StoreUnavailableError`."""
        async with _transaction(self._begin_write) as connection:
            yield connection

    async def close(self) -> None:
        """Closes all connections."""
        await self._reader.dispose()
        await self._writer.dispose()

    def _engine(self, connections: int, mode: str) -> AsyncEngine:
        options = {"timeout": _WAIT, "async_creator_fn": connect}
        engine = create_async_engine(
            self.url, **_pool(connections), poolclass=AsyncAdaptedQueuePool, connect_args=options
        )
        event.listen(engine.sync_engine, "connect", _prepare)
        event.listen(engine.sync_engine, "begin", partial(_begin, mode))
        return engine


def _pool(connections: int) -> dict[str, Any]:
    # The fewer connections are in use, the more of what is asked for each has prepared or in its memory.
    return {"pool_size": connections, "max_overflow": 0, "pool_timeout": _WAIT, "pool_use_lifo": True}


@asynccontextmanager
async def _transaction(
    begin: Callable[[], AbstractAsyncContextManager[AsyncConnection]],
) -> AsyncIterator[AsyncConnection]:
    """No cancellation cuts it short: a connection that is given up in the middle of a statement is lost to the pool,
    and with one to a database in memory all that is in it."""
    await checkpoint_if_cancelled()
    with CancelScope(shield=True), _translated():
        async with begin() as connection:
            yield connection


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except (OperationalError, InterfaceError, PoolTimeoutError, OSError) as error:
        raise _unavailable(error) from error
    except Exception as error:
        if not passes(error):
            raise
        raise _unavailable(error) from error


def _unavailable(error: Exception) -> StoreUnavailableError:
    cause = error.orig if isinstance(error, DBAPIError) else error
    return StoreUnavailableError(f"the database does not answer: {cause}")


def _prepare(connection: Any, record: object) -> None:
    del record
    connection.isolation_level = None  # the driver begins no transactions: `_begin` does
    cursor = connection.cursor()
    for pragma in (
        "journal_mode = WAL",
        "synchronous = FULL",  # what was answered is on the disk
        "foreign_keys = ON",
        f"cache_size = -{_CACHE}",
    ):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin(mode: str, connection: Connection) -> None:
    connection.exec_driver_sql(f"BEGIN {mode}")
