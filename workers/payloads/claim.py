"""The claim: the small JSON object that stands for an offloaded payload."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from workers.payloads.errors import PayloadMalformedError

CLAIM_KEY = "workers:claim"
VERSION = 1
ESCAPED = "escaped"
"""In place of the version: the object under `object` is the user's own, whatever it looks like."""
OBJECT_KEY = "object"

_SHA256 = re.compile(r"[0-9a-f]{64}")
_LONGEST_URI = 2_048


class Encoding(StrEnum):
    """What the bytes of an offloaded payload are."""

    JSON = "json"
    JSON_GZIP = "json+gzip"
    JSON_ZSTD = "json+zstd"
    BYTES = "bytes"
    """A stream of bytes, which no JSON document can hold."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """Where an offloaded payload is and how to tell that it is the right one."""

    uri: str
    size: int
    """Bytes of the stored object."""
    sha256: str
    """Of the stored object, 64 hexadecimal digits."""
    encoding: Encoding = Encoding.JSON

    def to_json(self) -> dict[str, Any]:
        """The object that stands in a document."""
        return {
            CLAIM_KEY: VERSION,
            "uri": self.uri,
            "bytes": self.size,
            "sha256": self.sha256,
            "encoding": str(self.encoding),
        }

    @classmethod
    def from_json(cls, found: Mapping[str, Any]) -> "Claim":
        """The claim in `found`. Keys that are not a claim's own are ignored: see `additions`.

        Raises `PayloadMalformedError`, saying which field is wrong.
        """
        version = found.get(CLAIM_KEY)
        if version != VERSION or isinstance(version, bool):
            raise PayloadMalformedError(f"a claim of version {version!r:.80}: this worker knows version {VERSION}")
        uri, size, sha256, encoding = (found.get(key) for key in ("uri", "bytes", "sha256", "encoding"))
        if not isinstance(uri, str) or not 0 < len(uri) <= _LONGEST_URI:
            raise PayloadMalformedError(f"a claim whose uri is {uri!r:.80}: it must be a URI")
        if not isinstance(size, int) or isinstance(size, bool) or size < 0:
            raise PayloadMalformedError(f"the claim on {uri} says bytes {size!r:.80}: it must be a length in bytes")
        if not isinstance(sha256, str) or not _SHA256.fullmatch(sha256):
            raise PayloadMalformedError(f"the claim on {uri} says sha256 {sha256!r:.80}: it must be 64 hex digits")
        if encoding not in tuple(Encoding):
            known = ", ".join(Encoding)
            raise PayloadMalformedError(f"the claim on {uri} says encoding {encoding!r:.80}: it must be one of {known}")
        return cls(uri=uri, size=size, sha256=sha256, encoding=Encoding(encoding))


_OWN_KEYS = frozenset(Claim(uri="", size=0, sha256="").to_json())


def additions(found: Mapping[str, Any]) -> dict[str, Any]:
    """The keys in a claim's object that are not its own: a `ResultPath` has written them there."""
    return {key: value for key, value in found.items() if key not in _OWN_KEYS}


def looks_like_claim(value: Any) -> bool:
    """Whether `value` is an object with the claim's key, be it a claim, an escaped object or neither."""
    return isinstance(value, dict) and CLAIM_KEY in value


def is_escaped(value: Mapping[str, Any]) -> bool:
    """Whether `value`, which looks like a claim, is a user's object in its escaped form."""
    return value[CLAIM_KEY] == ESCAPED and isinstance(value.get(OBJECT_KEY), dict)


def escaped(value: Mapping[str, Any]) -> dict[str, Any]:
    """A user's object that looks like a claim, so wrapped that nobody takes it for one."""
    return {CLAIM_KEY: ESCAPED, OBJECT_KEY: value}
