"""JSON, read strictly. Lines are counted only when one is asked for: most definitions have no problem."""

import json
import math
import re
from collections.abc import Iterator
from typing import Any, NoReturn

from workers.machines.loading.source import Source, unreadable
from workers.machines.problems import Finding, Where

_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[{}\[\],:]|[^\s{}\[\],:"]+', re.DOTALL)


def read_json(text: str, name: str) -> Source:
    """The definition in a JSON text."""
    repeated = False

    def no_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        nonlocal repeated
        found = dict(pairs)
        repeated |= len(found) != len(pairs)
        return found

    try:
        data = json.loads(text, object_pairs_hook=no_repeats, parse_constant=_refuse, parse_float=_finite)
    except json.JSONDecodeError as error:
        return unreadable(name, f"is no JSON: {error.msg} at column {error.colno}", error.lineno)
    except ValueError as error:
        return unreadable(name, f"is no JSON: {error}")
    findings = tuple(_repeats(text)) if repeated else ()
    return Source(name, data, findings, count_lines=lambda: dict(_places(text)))


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is no number in JSON")


def _finite(digits: str) -> float:
    number = float(digits)
    if not math.isfinite(number):
        raise ValueError(f"the number {digits} is too large")
    return number


def _repeats(text: str) -> list[Finding]:
    lines: dict[Where, int] = {}
    findings = []
    for where, line in _places(text):
        if where in lines:
            findings.append(Finding("duplicate-key", where, f"is given twice, first in line {lines[where]}"))
        lines[where] = line
    return findings


def _places(text: str) -> Iterator[tuple[Where, int]]:
    """Every key and every entry of a list, with its line, in a JSON text that is known to be well-formed."""
    around: list[str | int] = []
    lists: list[bool] = []
    line, counted, key_next = 1, 0, False
    for found in _TOKEN.finditer(text):
        sign = found.group()
        line, counted = line + text.count("\n", counted, found.start()), found.start()
        if sign in {"}", "]"}:
            around.pop()
            lists.pop()
            key_next = False
        elif sign == ",":
            key_next = not lists[-1]
        elif key_next:
            around[-1], key_next = json.loads(sign), False
            yield tuple(around), line
        elif sign != ":":
            if lists and lists[-1]:
                around[-1] = int(around[-1]) + 1
                yield tuple(around), line
            if sign in {"{", "["}:
                around.append(-1)
                lists.append(sign == "[")
                key_next = sign == "{"
