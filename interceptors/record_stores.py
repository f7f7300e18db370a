"""Which kind of store of records a URL names."""

from typing import Any
from urllib.parse import urlsplit

from interceptors.records import RecordStore
from workers.errors import UsageError


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
