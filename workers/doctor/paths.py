"""Where in a document a value stands, and the paths in a definition that lead there."""

import re
from collections.abc import Iterator
from typing import Any

from workers.machines.language.jsonata import body, is_expression

Steps = tuple[str, ...]
"""Keys that lead to a value; `*` stands for every entry of a list, and for what a path does not say plainly."""
ANY = "*"

_PATH = re.compile(r"(?<![\w$.])\$(?P<steps>(?:\.[^\s.,()\[\]'\"]+|\[[^\]]*\])*)(?![\w$])")
_STEP = re.compile(r"\.(?P<name>[^\s.,()\[\]'\"]+)|\['(?P<quoted>[^']*)'\]|\[(?P<other>[^\]]*)\]")
_JSONATA = re.compile(r"\$states\.(?P<base>input|result)(?P<steps>(?:\.(?:\w+|`[^`]+`)|\[[^\]]*\])*)")
_JSONATA_STEP = re.compile(r"\.(?P<name>\w+)|\.`(?P<quoted>[^`]+)`|\[(?P<other>[^\]]*)\]")


def steps_of(path: str) -> Steps | None:
    """The steps of a path into the data; None for one into the context, a variable, or no path."""
    found = _PATH.fullmatch(path)
    return tuple(_step(step) for step in _STEP.finditer(found["steps"])) if found else None


def paths_in(text: str) -> Iterator[Steps]:
    """The paths into the data in an intrinsic function, or the one that `text` is."""
    for found in _PATH.finditer(text):
        yield tuple(_step(step) for step in _STEP.finditer(found["steps"]))


def mentions(value: Any) -> Iterator[tuple[str, Steps]]:
    """What JSONata expressions in `value` read: ("input" or "result", steps)."""
    if isinstance(value, dict):
        for member in value.values():
            yield from mentions(member)
    elif isinstance(value, list):
        for entry in value:
            yield from mentions(entry)
    elif is_expression(value):
        for found in _JSONATA.finditer(body(value)):
            yield found["base"], tuple(_step(step) for step in _JSONATA_STEP.finditer(found["steps"]))


def shown(steps: Steps) -> str:
    """Steps as a path."""
    return "$" + "".join("[*]" if step == ANY else f".{step}" for step in steps)


def same(one: Steps, other: Steps) -> bool:
    """Whether two chains of steps, as far as both go, can lead the same way."""
    return all(a == b or ANY in {a, b} for a, b in zip(one, other, strict=False))


def _step(found: re.Match[str]) -> str:
    return found["name"] or found["quoted"] or ANY
