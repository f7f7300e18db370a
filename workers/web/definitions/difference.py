"""How two versions of a definition differ, line by line, as people read it."""

import difflib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from workers.machines.definition import load
from workers.machines.problems import InvalidDefinitionError
from workers.machines.text import as_yaml

_AROUND = 3
"""Lines that stay the same and are shown around what changed."""


class Kind(StrEnum):
    """What became of a line, or of a state."""

    SAME = "same"
    ADDED = "added"
    REMOVED = "removed"
    CHANGED = "changed"


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a line; `changed` where it differs from the line beside it."""

    text: str
    changed: bool = False


@dataclass(frozen=True, slots=True)
class Line:
    """A line of one of the two, or of both."""

    kind: Kind
    before: int | None
    """Its number in the earlier version."""
    after: int | None
    """Its number in the later version."""
    parts: tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class Difference:
    """What is different."""

    states: tuple[tuple[str, Kind], ...]
    """The states at the top that were added, removed or changed."""
    hunks: tuple[tuple[Line, ...], ...]
    """The lines that changed, with some around them; none where both are the same."""


def difference(before: Mapping[str, Any], after: Mapping[str, Any]) -> Difference:
    """How the machine `after` differs from `before`: both as they were given, in the notation or in ASL."""
    lines = _lines(as_yaml(before).splitlines(), as_yaml(after).splitlines())
    return Difference(tuple(_states(_top(before), _top(after))), lines)


def _top(machine: Mapping[str, Any]) -> Mapping[str, Any]:
    """The states at the top, in ASL where it can be had: then both spellings compare alike."""
    try:
        found: Mapping[str, Any] = load(dict(machine)).sketch().to_asl()["States"]
    except InvalidDefinitionError:
        found = machine.get("States", machine.get("states")) or {}
    return found


def _states(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[tuple[str, Kind]]:
    for name in dict.fromkeys([*before, *after]):
        if name not in after:
            yield name, Kind.REMOVED
        elif name not in before:
            yield name, Kind.ADDED
        elif before[name] != after[name]:
            yield name, Kind.CHANGED


def _lines(before: Sequence[str], after: Sequence[str]) -> tuple[tuple[Line, ...], ...]:
    matcher = difflib.SequenceMatcher(None, before, after, autojunk=False)
    groups = matcher.get_grouped_opcodes(_AROUND)
    return tuple(tuple(line for opcode in group for line in _opcode(opcode, before, after)) for group in groups)


def _opcode(opcode: tuple[str, int, int, int, int], before: Sequence[str], after: Sequence[str]) -> Iterator[Line]:
    tag, first, last, new_first, new_last = opcode
    if tag == "equal":
        for at, text in enumerate(before[first:last]):
            yield Line(Kind.SAME, first + at + 1, new_first + at + 1, (Part(text),))
        return
    old, new = before[first:last], after[new_first:new_last]
    pairs = list(map(_parts, old, new))
    removed = [before for before, _ in pairs] + [(Part(text),) for text in old[len(pairs) :]]
    added = [after for _, after in pairs] + [(Part(text),) for text in new[len(pairs) :]]
    for at, parts in enumerate(removed):
        yield Line(Kind.REMOVED, first + at + 1, None, parts)
    for at, parts in enumerate(added):
        yield Line(Kind.ADDED, None, new_first + at + 1, parts)


def _parts(before: str, after: str) -> tuple[tuple[Part, ...], tuple[Part, ...]]:
    """Two lines that stand beside each other, with what is in only one of them marked, unless they are too unlike."""
    matcher = difflib.SequenceMatcher(None, before, after, autojunk=False)
    if matcher.ratio() < 0.5:
        return (Part(before),), (Part(after),)
    old, new = [], []
    for tag, first, last, new_first, new_last in matcher.get_opcodes():
        if last > first:
            old.append(Part(before[first:last], tag != "equal"))
        if new_last > new_first:
            new.append(Part(after[new_first:new_last], tag != "equal"))
    return tuple(old), tuple(new)
