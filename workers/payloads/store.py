"""A payload store: objects below one URL, and which claims it may serve."""

import re
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol, Self
from urllib.parse import urlsplit
from uuid import uuid4

from workers.errors import UsageError

_SCHEMES = ("s3", "file", "memory")
_SEGMENT = r"[\w=-][\w.=+@-]*"
_DATE = r"\d{4}-\d{2}-\d{2}"
_KEY = re.compile(rf"(?:{_SEGMENT}/)*{_DATE}/(?:[0-9a-f]{{64}}|stream-[0-9a-f]{{32}})", re.ASCII)


@dataclass(frozen=True, slots=True)
class StoredObject:
    """An object as a listing shows it."""

    key: str
    size: int
    """Bytes."""
    modified: datetime
    """When it was last written."""


class Store(Protocol):
    """Objects below one URL; keys are relative to it.

    Every method raises the errors of `workers.payloads.errors`; what can be cured by trying again has been tried.
    """

    url: str
    """Without a slash at its end."""

    async def __aenter__(self) -> Self:
        """Opens what it needs, without a request."""

    async def __aexit__(self, *failure: object) -> None:
        """Closes it."""

    async def put(self, key: str, data: bytes, sha256: bytes) -> None:
        """Writes an object, whole or not at all; `sha256` is the digest of `data`."""

    async def get(self, key: str, limit: int) -> bytes:
        """The object. Raises `PayloadTooLargeError`, having read nothing, when it has more than `limit` bytes."""

    def read(self, key: str) -> AbstractAsyncContextManager[AsyncIterator[bytes]]:
        """The object in pieces."""

    async def write(self, key: str, pieces: AsyncIterator[bytes]) -> None:
        """Writes an object of unknown length, whole or not at all."""

    def folders(self) -> AsyncIterator[str]:
        """The names of the folders directly below the URL."""

    def objects(self, folder: str) -> AsyncIterator[StoredObject]:
        """The objects in a folder, in no order."""

    async def delete(self, keys: Sequence[str]) -> None:
        """Deletes objects; one that is gone already is none the worse."""


def check_url(url: str) -> str:
    """`url` as a store's URL, without a slash at its end. Raises `UsageError`."""
    parts = urlsplit(url)
    if parts.scheme not in _SCHEMES or not url.startswith(f"{parts.scheme}://"):
        raise UsageError(f"payload store {url!r}: it must be s3://BUCKET/PREFIX, file:///FOLDER or memory://NAME")
    if parts.scheme == "file" and (parts.netloc or len(parts.path) < 2):
        raise UsageError(f"payload store {url!r}: a folder has an absolute path, file:///FOLDER")
    if parts.scheme != "file" and not parts.netloc:
        raise UsageError(f"payload store {url!r}: the {'bucket' if parts.scheme == 's3' else 'name'} is missing")
    path = parts.path.rstrip("/")
    if parts.query or parts.fragment or "@" in parts.netloc or {"", ".", ".."} & set(path.split("/")[1:]):
        raise UsageError(f"payload store {url!r}: it must be a plain path without //, .., ? and #")
    return url.rstrip("/")


def key_below(url: str, uri: str) -> str | None:
    """The key of the object `uri` in the store at `url`, or None when it is not one that a claim may point to."""
    below = f"{url}/"
    key = uri[len(below) :]
    return key if uri.startswith(below) and _KEY.fullmatch(key) else None


def document_key(sha256: str) -> str:
    """Where a document goes: the day is in the key, so that a lifecycle rule never removes what a new claim needs."""
    return f"{_today()}/{sha256}"


def stream_key() -> str:
    """Where a stream goes, whose hash is known only after it was written."""
    return f"{_today()}/stream-{uuid4().hex}"


def _today() -> str:
    return datetime.now(UTC).date().isoformat()
