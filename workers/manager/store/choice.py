"""A store, chosen by its URL."""

import re

from workers.errors import MissingExtraError, UsageError
from workers.manager.store.interface import Store
from workers.payloads.payloads import Payloads
from workers.stepfunctions.connection import Connection

_DYNAMODB = "dynamodb://"
_PREFIX = re.compile(r"[\w.-]{1,200}", re.ASCII)


def open_store(url: str, *, connection: Connection | None = None, payloads: Payloads | None = None) -> Store:
    """The store at `url`, to be entered: `sqlite:///FILE`, `sqlite://` for one in memory, or `dynamodb://PREFIX`.

    `connection`: the AWS that DynamoDB is in. `payloads`: an open store for what is too large for DynamoDB. Raises
    `UsageError` for a URL that cannot be used, and `MissingExtraError`.
    """
    if url.startswith(_DYNAMODB):
        return _dynamodb(url.removeprefix(_DYNAMODB), connection, payloads)
    try:
        from workers.manager.store.sql.store import SqlStore
    except ModuleNotFoundError as error:
        if (error.name or "").startswith("workers"):
            raise
        raise MissingExtraError("the workflow manager", "manager") from error
    return SqlStore(url)


def _dynamodb(prefix: str, connection: Connection | None, payloads: Payloads | None) -> Store:
    from workers.manager.store.dynamodb.store import DynamoStore

    if not _PREFIX.fullmatch(prefix):
        raise UsageError(f"{_DYNAMODB}{prefix}: give the prefix of the tables: letters, digits, - _ and .")
    if connection is None:
        raise UsageError(f"{_DYNAMODB}{prefix} needs a connection to AWS")
    return DynamoStore(prefix, connection, payloads)
