"""Records of work that has begun or is done: what `Idempotent` keeps, and where."""

from dataclasses import dataclass
from typing import Any, Protocol, Self
from urllib.parse import urlsplit

from workers.errors import ErrorName, UsageError, WorkersError


class RecordStoreError(WorkersError):
    """A store of records could not be used."""

    error_name = ErrorName.RECORD_STORE_FAILED


@dataclass(frozen=True, slots=True)
class Record:
    """What is known of work that somebody else has begun."""

    done: bool
    result: bytes | None = None
    """JSON; None while it is not done, and when the result was too large to keep."""


class RecordStore(Protocol):
    """Records by key. Each change is one conditional write: of two attempts, one wins.

    Times are seconds since 1970. Every method raises `RecordStoreError` when the store fails.
    """

    async def __aenter__(self) -> Self:
        """Opens what it needs."""

    async def __aexit__(self, *failure: object) -> None:
        """Closes it."""

    async def begin(self, key: str, owner: str, *, now: float, until: float) -> Record | None:
        """Makes `owner` the holder of `key` until then, and returns None; or returns whose work it is already."""

    async def renew(self, key: str, owner: str, *, until: float) -> bool:
        """Prolongs the hold. False when somebody else holds the key."""

    async def finish(self, key: str, owner: str, result: bytes | None, *, until: float) -> bool:
        """Records that the work is done, to be known until then. False when somebody else holds the key."""

    async def release(self, key: str, owner: str) -> None:
        """Forgets that the work has begun, if `owner` still holds it."""


def open_records(url: str) -> RecordStore:
    """The store at `dynamodb://TABLE` or `sqlite:///FILE`. Raises `UsageError`."""
    parts = urlsplit(url)
    if parts.scheme == "dynamodb" and parts.netloc and not parts.path.strip("/"):
        from interceptors.records_dynamodb import DynamoDBRecords

        return DynamoDBRecords(parts.netloc)
    if parts.scheme == "sqlite" and not parts.netloc and len(parts.path) > 1:
        from interceptors.records_sqlite import SqliteRecords

        return SqliteRecords(parts.path)
    raise UsageError(f"store of records {url!r}: it must be dynamodb://TABLE or sqlite:///FILE")


def use_aws(store: Any, session: Any, endpoint_url: str | None) -> None:
    """Hands the worker's AWS session to a store that wants one."""
    if hasattr(store, "use_aws"):
        store.use_aws(session, endpoint_url)
