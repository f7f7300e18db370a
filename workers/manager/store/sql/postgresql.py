"""PostgreSQL by asyncpg: its URLs, how sessions are set up, which of its errors pass by themselves."""

import time
from importlib.util import find_spec
from typing import Any

from sqlalchemy import event
from sqlalchemy.engine import URL
from sqlalchemy.exc import DBAPIError, DisconnectionError
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlalchemy.pool import ConnectionPoolEntry

from workers.errors import MissingExtraError

_CONNECT = 5.0
"""Seconds in which a connection must be made."""
_ANSWER = 60.0
"""Seconds in which a statement must be answered."""
_IDLE = 1.0
"""Seconds after which a connection that nobody used may have been lost."""
_USED = "workers.used"
_SESSION = {
    "application_name": "workers",
    "lock_timeout": "5s",
    # A process that is paused, or cut off, in the middle of a transaction must not hold its locks for ever.
    "idle_in_transaction_session_timeout": "10s",
    "tcp_keepalives_idle": "30",
    "tcp_user_timeout": "30s",
    "jit": "off",  # statements here are short: compiling them takes longer than they do
    # Rows are found by an id or in the order of an index. In a table that was not analyzed yet, ids would be looked up
    # in the index for texts in them, which takes a hundred times as long.
    "enable_bitmapscan": "off",
}
_PASSES = ("08", "40", "53", "55", "57", "25P03", "28", "3D")
"""How the codes of errors begin that pass, or that an operator mends: connections, rollbacks, resources, locks,
shutdowns, passwords, names (PostgreSQL documentation, appendix A)."""


def is_ours(url: URL) -> bool:
    """Whether a URL names a database of PostgreSQL without saying how to talk to it."""
    return url.drivername in {"postgresql", "postgres"}


def postgresql_url(url: URL) -> URL:
    """The URL with its driver; `sslmode` as libpq has it becomes what the driver calls it.

    Raises `MissingExtraError`.
    """
    if find_spec("asyncpg") is None:
        raise MissingExtraError("a database of PostgreSQL", "postgresql")
    query = dict(url.query)
    if "sslmode" in query:
        query["ssl"] = query.pop("sslmode")
    return url.set(drivername="postgresql+asyncpg", query=query)


def engine_options(*, reads: bool) -> dict[str, Any]:
    """Options of an engine. All that a transaction reads which only reads is of one moment."""
    connect = {"timeout": _CONNECT, "command_timeout": _ANSWER, "server_settings": _SESSION}
    return {
        "connect_args": connect,
        "isolation_level": "REPEATABLE READ" if reads else "READ COMMITTED",
    }


def watch(engine: AsyncEngine) -> None:
    """Lets nobody have a connection that was lost, as after a restart of the server.

    That one was closed is known without asking; one that lay idle is asked, which costs three trips to the server.
    """
    event.listen(engine.sync_engine, "checkin", _mark)
    event.listen(engine.sync_engine, "checkout", _check)


def _mark(connection: object, record: ConnectionPoolEntry) -> None:
    del connection
    record.info[_USED] = time.monotonic()


def _check(connection: Any, record: ConnectionPoolEntry, proxy: object) -> None:
    del proxy
    if connection.driver_connection.is_closed():
        raise DisconnectionError("the connection was closed")
    at = time.monotonic()
    if at - record.info.get(_USED, at) > _IDLE:
        try:
            connection.ping()
        except (connection.dbapi.Error, OSError) as error:
            raise DisconnectionError("the connection does not answer") from error


def passes(error: Exception) -> bool:
    """Whether trying again may help."""
    cause: Any = error.orig if isinstance(error, DBAPIError) else error
    code = getattr(cause, "sqlstate", None) or getattr(cause, "pgcode", None)
    if isinstance(code, str):
        return code.startswith(_PASSES)
    return isinstance(error, DBAPIError) and error.connection_invalidated
