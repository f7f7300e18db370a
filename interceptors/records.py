"""Records of work that has begun or is done: what `Idempotent` keeps, and where."""

from dataclasses import dataclass
from typing import Protocol, Self

from workers.errors import ErrorName, WorkersError


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
