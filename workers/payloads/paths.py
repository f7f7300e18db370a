"""Paths that name values in a document: `$.items[*].id`, as in the definition of a state machine."""

import re
from collections.abc import Iterable
from typing import Any

from workers.errors import UsageError
from workers.payloads.document import Place

WILD = None
"""The step `[*]`: every key or index."""

Path = tuple[str | int | None, ...]

_STEP = re.compile(
    r"""\.(?P<name>[^.\[\]*'"\s]+)          # .name
      | \[(?P<index>\d+)\]                  # [0]
      | (?P<wild>\.\*|\[\*\])               # .* and [*]
      | \['(?P<single>(?:[^'\\]|\\.)*)'\]   # ['any key']
      | \["(?P<double>(?:[^"\\]|\\.)*)"\]""",
    re.VERBOSE,
)


def parse_path(text: str) -> Path:
    """`$…` as a path; any other text names one key of the document. Raises `UsageError`."""
    if not text.startswith("$"):
        return (text,)
    steps: list[str | int | None] = []
    position = 1
    while position < len(text):
        match = _STEP.match(text, position)
        if not match:
            raise UsageError(f"path {text!r} cannot be read from {text[position:]!r}: write it like $.items[*].id")
        steps.append(_step(match))
        position = match.end()
    return tuple(steps)


def _step(match: re.Match[str]) -> str | int | None:
    if match["wild"]:
        return WILD
    if match["index"]:
        return int(match["index"])
    quoted = match["single"] or match["double"] or ""
    return match["name"] or re.sub(r"\\(.)", r"\1", quoted)


def parse_paths(given: Iterable[str], option: str) -> tuple[Path, ...]:
    """Every path of the option named `option`. Raises `UsageError`."""
    if isinstance(given, str):
        raise UsageError(f"{option} is the text {given!r}: it must be a list, [{given!r}]")
    return tuple(parse_path(text) for text in given)


def places(document: Any, path: Path) -> list[Place]:
    """The places in `document` that `path` names; none where it leads nowhere."""
    found: list[tuple[Place, Any]] = [((), document)]
    for step in path:
        found = [
            ((*place, key), child)
            for place, value in found
            for key, child in _children(value)
            if step is WILD or (key == step and type(key) is type(step))
        ]
    return [place for place, _ in found]


def overlap(one: Path, other: Path) -> bool:
    """Whether a value that `one` names can be, or hold, or be part of a value that `other` names."""
    return all(a == b or WILD in {a, b} for a, b in zip(one, other, strict=False))


def _children(value: Any) -> Iterable[tuple[str | int, Any]]:
    if isinstance(value, dict):
        return value.items()
    return enumerate(value) if isinstance(value, list) else ()
