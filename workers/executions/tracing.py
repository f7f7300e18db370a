"""The trace that an execution belongs to: W3C Trace Context for handlers, X-Ray's header for Step Functions."""

import re
import secrets
import time
from dataclasses import dataclass
from typing import Any, Self

from workers.errors import UsageError

KEY = "traceparent"
_TRACEPARENT = re.compile(r"00-(?P<trace>(?!0{32})[0-9a-f]{32})-(?P<span>(?!0{16})[0-9a-f]{16})-(?P<flags>[0-9a-f]{2})")


@dataclass(frozen=True, slots=True)
class Trace:
    """A traceparent (W3C Trace Context, version 00)."""

    traceparent: str

    @classmethod
    def of(cls, given: bool | str) -> Self:
        """A new one for True; else the one that is given. Raises `UsageError`."""
        if given is True:
            # X-Ray reads the first eight digits of a trace id as the time at which it began.
            return cls(f"00-{int(time.time()):08x}{secrets.token_hex(12)}-{secrets.token_hex(8)}-01")
        if not isinstance(given, str) or not _TRACEPARENT.fullmatch(given):
            raise UsageError(f"{given!r} is no traceparent: 00-TRACE-SPAN-FLAGS, of 32, 16 and 2 hexadecimal digits")
        return cls(given)

    @property
    def header(self) -> str:
        """As StartExecution takes it: `traceHeader`."""
        _, trace, span, flags = self.traceparent.split("-")
        return f"Root=1-{trace[:8]}-{trace[8:]};Parent={span};Sampled={int(flags, 16) & 1}"

    def put_into(self, document: Any) -> Any:
        """A copy of an execution's input with the traceparent, unless it has one. Raises `UsageError`."""
        if not isinstance(document, dict):
            raise UsageError("a traceparent is put into the input, which must be an object for that")
        return {KEY: self.traceparent, **document}
