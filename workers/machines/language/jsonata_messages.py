"""The words of JSONata's errors, as jsonata-js and with it AWS has them: `T2001: The left side of the "+" operator …`.

jsonata-python has them from a port in which every "function" became an "Object", and shows values as Python does.
"""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

_PLACE = re.compile(r"\{\{\{(\w+)\}\}\}|\{\{(\w+)\}\}")
_UNCODED = {
    "Second argument of replace function cannot be an empty string": "D3010",
    "Fourth argument of replace function must evaluate to a positive number": "D3011",
}
"""Errors that are raised with their text in the place of their code."""
_TYPES = {"a": "arrays", "b": "booleans", "f": "functions", "n": "numbers", "o": "objects", "s": "strings"}


@contextmanager
def faults(refused: type[Exception]) -> Iterator[None]:
    """Parses with the library, which stumbles over a comment without an end: an error of `refused`, too."""
    try:
        yield
    except IndexError:
        raise refused("S0106", -1) from None


def message(error: Any, null: object = None) -> str:
    """The code and the text of a `JException`. `null`: what stands for JSON's null in it."""
    code = _UNCODED.get(error.error, error.error)
    if code == "S0301" and error.current is not None:  # the library's mistake: it stands for two errors there
        code = "S0103"
    template = error.error_codes.get(code)
    if template is None:
        return str(code)
    values = _values(code, error)
    template = template.replace("$single() Object", "$single() function").replace("Object", "function")

    def shown(place: re.Match[str]) -> str:
        raw, name = place.groups()
        value = values.get(raw or name)
        return str(value) if raw else _as_json(value, null)

    return f"{code}: {_PLACE.sub(shown, template)}"


def _values(code: str, error: Any) -> dict[str, Any]:
    """What stands for the places in the text of an error."""
    first, second, third = error.current, error.expected, error.extra
    function = getattr(error, "function", None)
    if code == "T0410":
        known = isinstance(first, int) and isinstance(second, str)
        return {"index": first if known else 1, "token": second if known else function or first}
    others: dict[str, dict[str, Any]] = {
        "D1002": {"value": second},
        "S0202": {"value": first, "token": second},
        "D3061": {"value": first, "exp": second},
        "D3100": {"value": error.location},
        "T0411": {"index": second, "token": function},
        "T0412": {"index": first, "token": second, "type": _TYPES.get(third, third)},
        "T2007": {"value": first, "value2": second},
        "T2009": {"value": first, "value2": second, "token": third},
    }
    return others.get(code) or dict.fromkeys(("message", "token", "value"), first)


def _as_json(value: Any, null: object) -> str:
    def other(value: Any) -> str | None:
        return None if value is null else ""

    return json.dumps(value, separators=(",", ":"), ensure_ascii=False, default=other)
