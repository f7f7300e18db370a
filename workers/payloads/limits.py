"""How large payloads may be."""

from dataclasses import dataclass

from workers.errors import UsageError

OUTPUT_LIMIT = 262_144
"""Bytes of UTF-8 JSON in the input or output of a state (Step Functions, service quotas)."""


@dataclass(frozen=True, kw_only=True)
class Limits:
    """Caps in bytes, on what is written as well as on what is read."""

    max_object: int = 64 << 20
    """One offloaded value, as stored and as JSON."""
    max_document: int = 256 << 20
    """All offloaded values of one document together."""
    max_stream: int = 5 << 30
    """One stream."""

    def __post_init__(self) -> None:
        for name in ("max_object", "max_document", "max_stream"):
            if (value := getattr(self, name)) < 1:
                raise UsageError(f"{name} is {value}: it is a number of bytes, 1 or more")
