"""A definition as it was given."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from workers.machines.problems import Finding, Where

Lines = Mapping[Where, int]
"""The line, from 1, of each key and each entry of a list."""


def _no_lines() -> Lines:
    return {}


@dataclass(frozen=True)
class Source:
    """A definition as it was given, and where its parts stand."""

    name: str
    """The file's name, or what else messages call the definition."""
    data: Any = field(repr=False)
    findings: tuple[Finding, ...] = ()
    """What is wrong with the text itself."""
    readable: bool = True
    """Whether there is `data` in spite of them."""
    count_lines: Callable[[], Lines] = field(default=_no_lines, repr=False)
    """Called when the first problem needs its line."""

    @cached_property
    def _lines(self) -> Lines:
        return self.count_lines()

    def line(self, where: Where) -> int | None:
        """The line of what stands at `where`, or of the nearest thing around it; None where there are no lines."""
        return next((self._lines[where[:n]] for n in range(len(where), -1, -1) if where[:n] in self._lines), None)


def unreadable(name: str, message: str, line: int | None = None) -> Source:
    """A source that cannot be read at all."""
    lines: Lines = {} if line is None else {(): line}
    return Source(name, None, (Finding("syntax", (), message),), readable=False, count_lines=lambda: lines)
