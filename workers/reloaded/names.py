"""The names of what is registered for one run: NAME-dev-OWNER-RUN, which no other run has."""

import base64
import hashlib
import re
import secrets
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Self

from workers.arns import NAME_LIMIT, NAMESPACE_SEPARATOR
from workers.errors import UsageError

_MARK = "-dev-"
_OWNER_LIMIT = 16
_SHORT_OWNER = 4
_RUN = 12
_HASH = 8
_LEAST_HASH = 6
"""Letters that keep the names within one run apart: 30 bits, for the few names that a machine has."""
ROOM_NEEDED = _LEAST_HASH + len(_MARK) + _SHORT_OWNER + 1 + _RUN
"""Characters that a name in a run may need, whatever it and its owner are called."""
_SUFFIX = re.compile(rf"{_MARK}(?P<owner>[a-z0-9_]{{1,{_OWNER_LIMIT}}})-(?P<run>[a-z2-7]{{{_RUN}}})")


def _random() -> str:
    return base64.b32encode(secrets.token_bytes(8)).decode().lower()[:_RUN]


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
        """The name in this run, of at most `room` characters: of a long one the beginning and a hash are kept.

        Where even that has no room, the hash alone, and of a long owner a hash too. Raises `UsageError` below
        `ROOM_NEEDED`.
        """
        suffix, left = "", 0
        for owner in (self.owner, _short(self.owner)):
            suffix = f"{_MARK}{owner}-{self.run}"
            left = room - len(suffix)
            if len(name) <= left:
                return name + suffix
            if left > _HASH + 1:
                return f"{name[: left - _HASH - 1]}-{hashlib.sha256(name.encode()).hexdigest()[:_HASH]}{suffix}"
        if left < _LEAST_HASH:
            raise UsageError(
                f"the namespace leaves {room} characters for the name of {name} in a run of its own, which needs "
                f"{ROOM_NEEDED}: take a namespace of at most {NAME_LIMIT - len(NAMESPACE_SEPARATOR) - ROOM_NEEDED}"
            )
        return _hash(name, left) + suffix

    def may_be_of(self, owner: str) -> bool:
        """Whether the name may have been made for `owner`, a name from `owner_name`; the tags say it for sure."""
        return self.owner in {owner, _short(owner)}


def _short(owner: str) -> str:
    return owner if len(owner) <= _SHORT_OWNER else _hash(owner, _SHORT_OWNER)


def _hash(text: str, length: int) -> str:
    """5 bits a letter."""
    return base64.b32encode(hashlib.sha256(text.encode()).digest()).decode().lower()[:length]


def owner_name(user: str) -> str:
    """How a user is called in names. Two who would be called alike get a hash."""
    plain = re.sub(r"[^a-z0-9_]", "_", user.lower())
    if plain == user and 0 < len(plain) <= _OWNER_LIMIT:
        return plain
    digest = hashlib.sha256(user.encode()).hexdigest()[:5]
    return f"{plain[: _OWNER_LIMIT - 6]}_{digest}"


def original(fresh: str, names: Iterable[str], *, room: int = NAME_LIMIT) -> str | None:
    """The one of `names` that is `fresh` in some run, with so much `room`; None where there is none."""
    snapshot = Snapshot.of(fresh)
    return next((name for name in names if snapshot and snapshot.name(name, room=room) == fresh), None)
