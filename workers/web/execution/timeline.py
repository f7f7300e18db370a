"""The time line: when each visit ran, with its attempts, as bars below each other."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import islice

from workers.histories.visits import Visit
from workers.web.execution.followed import Followed
from workers.web.execution.items import Item
from workers.web.execution.step import attempts_of
from workers.web.execution.words import word

ROWS = 150
"""Rows that are shown together."""
WIDTH = 1_000.0
"""Of the whole execution; bars have numbers between 0 and this."""
_LEAST = 4.0
_TICKS = 4


@dataclass(frozen=True, slots=True)
class Bar:
    """A stretch of time."""

    x: float
    width: float
    word: str


@dataclass(frozen=True, slots=True)
class Row:
    """A visit."""

    visit: Visit
    word: str
    item: Item | None
    seconds: float
    bars: list[Bar]


@dataclass(frozen=True, slots=True)
class TimeLine:
    """Some of the rows, and the marks of time above them."""

    rows: list[Row]
    start: int
    total: int
    ticks: list[float]
    """Seconds from the start of the execution, evenly over the width."""


def time_line(followed: Followed, start: int) -> TimeLine:
    """The rows from number `start` on, in the order in which they began; what is inside of a state follows it."""
    states = followed.progress.states.values()
    outermost = sorted((one for state in states for one in state.visits if one.around is None), key=lambda one: one.id)
    began, now = followed.execution.started, followed.now
    seconds = max(0.001, (now - began).total_seconds())
    rows = [_row(followed, one, began, seconds, now) for one in islice(_walk(outermost), start, start + ROWS)]
    total = sum(len(state.visits) for state in states)
    return TimeLine(rows, start, total, [seconds * tick / _TICKS for tick in range(_TICKS + 1)])


def _walk(visits: list[Visit]) -> Iterator[Visit]:
    for visit in visits:
        yield visit
        yield from _walk(visit.inside)


def _row(followed: Followed, visit: Visit, began: datetime, seconds: float, now: datetime) -> Row:
    def bar(start: datetime, end: datetime, kind: str) -> Bar:
        x = min(WIDTH - _LEAST, max(0.0, (start - began).total_seconds() / seconds * WIDTH))
        return Bar(x, min(WIDTH - x, max(_LEAST, (end - start).total_seconds() / seconds * WIDTH)), kind)

    left = visit.left or now
    bars = [bar(visit.entered, left, f"whole {word(visit)}")]
    for attempt in attempts_of(visit.events):
        ended = attempt.ended or left
        if attempt.started:
            bars.append(bar(attempt.scheduled, attempt.started, "queued"))
        bars.append(bar(attempt.started or attempt.scheduled, ended, attempt.outcome if attempt.ended else word(visit)))
    return Row(visit, word(visit), followed.items.of(visit), (left - visit.entered).total_seconds(), bars)
