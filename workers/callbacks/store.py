"""Where tokens are kept by their keys."""

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, Self
from urllib.parse import urlsplit

from workers.errors import UsageError

DAY = 86_400.0


@dataclass(frozen=True, slots=True)
class Stored:
    """What is stored for a key."""

    text: str
    version: int
    expires: float
    """Seconds of the epoch: from then on it counts no more."""

    @property
    def expired(self) -> bool:
        """Whether it counts no more."""
        return self.expires <= time.time()


class TokenStore(Protocol):
    """Texts by key, written only over what was read. An async context manager; raises `CallbackStoreError`."""

    async def load(self, key: str) -> Stored | None:
        """What is stored for `key`, the latest there is."""

    async def save(self, key: str, text: str, *, version: int, expires: float, pending: bool) -> bool:
        """Stores `text` as the version after `version`, 0 for a new key; False if there is another by now.

        `pending`: whether something of it is still to be delivered.
        """

    async def pending(self, *, before: float, limit: int) -> list[str]:
        """Keys with something to be delivered since before that time."""

    async def create(self) -> None:
        """Makes what it needs, where that is not there."""

    async def __aenter__(self) -> Self: ...

    async def __aexit__(self, *failure: object) -> None: ...


def check_store(url: str | None, table: str, *, local: bool = False) -> tuple[str, str]:
    """Which kind of store `url` names, and where: `dynamodb` (in `table`), `dynamodb://TABLE`, `sqlite:///FILE`.

    None is `dynamodb`, or for the embedded engine (`local`) the file `TABLE.sqlite` in the working directory.
    """
    if url is None and local:
        return "sqlite", str(Path(f"{table}.sqlite").absolute())
    url = url or "dynamodb"
    if url == "dynamodb":
        return "dynamodb", table
    parts = urlsplit(url)
    if parts.scheme == "dynamodb" and parts.netloc and not parts.path.strip("/"):
        return "dynamodb", parts.netloc
    if parts.scheme == "sqlite" and not parts.netloc and len(parts.path) > 1:
        return "sqlite", parts.path
    raise UsageError(f"store of callbacks {url!r}: it must be dynamodb, dynamodb://TABLE or sqlite:///FILE")
