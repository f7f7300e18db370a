"""The names of what is registered for one run: NAME-dev-OWNER-RUN, which no other run has."""

import base64
import hashlib
import re
import secrets
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Self

from workers.arns import NAME_LIMIT

_MARK = "-dev-"
_OWNER_LIMIT = 16
_SUFFIX = re.compile(rf"{_MARK}(?P<owner>[a-z0-9_]{{1,{_OWNER_LIMIT}}})-(?P<run>[a-z2-7]{{12}})")


def _random() -> str:
    return base64.b32encode(secrets.token_bytes(8)).decode().lower()[:12]


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The names of one run. `owner`: who runs it, in small letters."""

    owner: str
    run: str = field(default_factory=_random)
    """60 random bits."""

    @classmethod
    def of(cls, name: str) -> Self | None:
        """The snapshot that a name belongs to; None for one that was not made here."""
        if found := _SUFFIX.search(name):
            return cls(found["owner"], found["run"]) if found.end() == len(name) else None
        return None

    def name(self, name: str, *, room: int = NAME_LIMIT) -> str:
        """The name in this run, of at most `room` characters: of a long one the beginning and a hash are kept."""
        suffix = f"{_MARK}{self.owner}-{self.run}"
        room -= len(suffix)
        if len(name) > room:
            name = f"{name[: room - 9]}-{hashlib.sha256(name.encode()).hexdigest()[:8]}"
        return name + suffix


def owner_name(user: str) -> str:
    """How a user is called in names. Two who would be called alike get a hash."""
    plain = re.sub(r"[^a-z0-9_]", "_", user.lower())
    if plain == user and 0 < len(plain) <= _OWNER_LIMIT:
        return plain
    digest = hashlib.sha256(user.encode()).hexdigest()[:5]
    return f"{plain[: _OWNER_LIMIT - 6]}_{digest}"


def original(fresh: str, names: Iterable[str]) -> str | None:
    """The one of `names` that is `fresh` in some run; None where there is none."""
    snapshot = Snapshot.of(fresh)
    return next((name for name in names if snapshot and snapshot.name(name) == fresh), None)
