"""Python values that the notation takes where ASL has text and numbers."""

import math
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from workers.errors import ErrorName

SHUTTING_DOWN = str(ErrorName.SHUTTING_DOWN)


class ValueRefusedError(ValueError):
    """A value that the notation cannot write as ASL. The text says why and what to write instead."""


def seconds(value: timedelta) -> int:
    """A duration as whole seconds, which is what ASL counts in."""
    count = value.total_seconds()
    if not count.is_integer():
        raise ValueRefusedError(f"{value} is no whole number of seconds, and Step Functions counts whole seconds")
    return int(count)


def timestamp(value: datetime) -> str:
    """A moment as RFC 3339 text in UTC."""
    if value.tzinfo is None:
        raise ValueRefusedError(f"{value} has no time zone: give it one, such as tzinfo=UTC")
    return value.astimezone(UTC).isoformat().removesuffix("+00:00") + "Z"


def error_name(value: object) -> str:
    """The error name that a task fails with when its handler raises the exception class `value`, or text as it is."""
    if isinstance(value, str):
        return str(value)
    if not (isinstance(value, type) and issubclass(value, BaseException)):
        raise ValueRefusedError(f"{value!r} is neither an error name nor an exception class")
    if value in {Exception, BaseException}:
        raise ValueRefusedError(f"{value.__name__} would match errors of just that name: write 'States.ALL' for any")
    own = getattr(value, "error_name", None)
    return own if isinstance(own, str) else value.__name__


def error_names(value: object) -> list[str]:
    """The error names in `value`: one, or several in any collection."""
    if isinstance(value, str | type) or not isinstance(value, Iterable):
        return [error_name(value)]
    names = [error_name(one) for one in value]
    return sorted(names) if isinstance(value, set | frozenset) else names


def plain_json(value: Any) -> Any:
    """`value` as plain JSON data: tuples become lists, other mappings dicts, and nothing else is taken."""
    if isinstance(value, str):
        return str(value)
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, float):
        if not math.isfinite(value):
            raise ValueRefusedError(f"{value} is no number in JSON")
        return value
    if isinstance(value, Mapping):
        return {_key(key): plain_json(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [plain_json(one) for one in value]
    raise ValueRefusedError(f"{_short(value)} is no JSON: text, numbers, true, false, null, lists and objects are")


def _key(key: Any) -> str:
    if not isinstance(key, str):
        raise ValueRefusedError(f"the key {_short(key)} is no text: put it in quotes")
    return str(key)


def _short(value: Any) -> str:
    text = repr(value)
    return f"{text if len(text) <= 60 else text[:57] + '…'} ({type(value).__name__})"
