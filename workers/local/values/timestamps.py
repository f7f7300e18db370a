"""Moments as Step Functions reads and writes them: RFC 3339 with a capital T and a zone."""

import re
from datetime import UTC, datetime

_MOMENT = re.compile(
    r"(\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d)?)(\.\d+)?(Z|[+-]\d\d:\d\d)",
    re.ASCII,
)


def parse_timestamp(text: str) -> datetime | None:
    """The moment that `text` names, to the microsecond; None if it is no timestamp."""
    if not (found := _MOMENT.fullmatch(text)):
        return None
    moment, fraction, zone = found.groups()
    try:
        return datetime.fromisoformat(moment + (fraction or "")[:7] + zone)
    except ValueError:
        return None


def write_timestamp(seconds: float) -> str:
    """Seconds since 1970 as the context object shows them: 2024-12-31T23:59:59.123Z."""
    moment = datetime.fromtimestamp(seconds, UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03d}Z"
