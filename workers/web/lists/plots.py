"""Small plots of how many workflows came and what became of them: SVG, drawn here.

What failed hangs below the line and all else stands above it, so that nobody needs the colours to see it.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import islice

from markupsafe import Markup, escape

from workers.manager.model import Status
from workers.manager.store.interface import Tally

_WIDTH, _ABOVE, _BELOW = 240, 36, 18
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_GAP = 1.5
_LEAST = 2.0
"""The height of a bar that stands for one among thousands."""
_STACK = (Status.SUCCEEDED, Status.CANCELLED, Status.RUNNING, Status.QUEUED)
"""What stands above the line, from the line up."""


@dataclass(slots=True)
class Bar:
    """What was created within one step."""

    since: datetime
    counts: dict[Status, int] = field(default_factory=dict)

    @property
    def above(self) -> int:
        """All that did not fail."""
        return sum(self.counts.get(status, 0) for status in _STACK)

    @property
    def words(self) -> str:
        """`3 succeeded, 1 failed`."""
        return ", ".join(f"{self.counts[status]:,} {status}" for status in Status if self.counts.get(status)) or "none"


@dataclass(frozen=True, slots=True)
class Span:
    """Some last time, in steps."""

    step: timedelta
    number: int
    words: str
    """`24 hours`."""
    stays: float
    """Seconds for which what was counted is shown as it was."""

    def since(self, now: datetime) -> datetime:
        """Its beginning: that of a step, so that bars stay as they are until the next one begins."""
        return now - (now - _EPOCH) % self.step - (self.number - 1) * self.step

    def bars(self, tallies: Iterable[Tally], since: datetime) -> list[Bar]:
        """One bar for each step since then, with what was counted in it."""
        bars = [Bar(since + number * self.step) for number in range(self.number)]
        for one in tallies:
            at = (one.since - since) // self.step
            if 0 <= at < self.number:
                counts = bars[at].counts
                counts[one.status] = counts.get(one.status, 0) + one.count
        return bars


def by_definition(tallies: Iterable[Tally]) -> dict[str, list[Tally]]:
    """The tallies of each definition: those with most failures first, then those with most workflows."""
    found: dict[str, list[Tally]] = {}
    for one in tallies:
        found.setdefault(one.workflow_definition_name, []).append(one)

    def weight(name: str) -> tuple[int, int, str]:
        return -total(found[name], Status.FAILED), -total(found[name]), name

    return {name: found[name] for name in sorted(found, key=weight)}


def total(tallies: Iterable[Tally], *status: Status) -> int:
    """How many workflows; only those with one of the statuses, where some are given."""
    return sum(one.count for one in tallies if not status or one.status in status)


@dataclass(frozen=True, slots=True)
class Plotted:
    """What came of one definition, or machine."""

    name: str
    plot: Markup
    total: int
    failed: int


@dataclass(frozen=True, slots=True)
class Plots:
    """The plots of definitions, or machines."""

    shown: tuple[Plotted, ...]
    left_out: int
    """Those that have none."""


def plots_of(by_name: Mapping[str, Sequence[Tally]], span: Span, since: datetime, *, most: int | None = None) -> Plots:
    """The plots of definitions; at most so many, the first ones."""
    plots = []
    for name, found in islice(by_name.items(), most):
        number, failed = total(found), total(found, Status.FAILED)
        label = f"{name}, the last {span.words}: {number:,} started, {failed:,} of them failed"
        plots.append(Plotted(name, plot(span.bars(found, since), label), number, failed))
    return Plots(tuple(plots), len(by_name) - len(plots))


def plot(bars: Sequence[Bar], label: str) -> Markup:
    """The plot of the bars; `label` is what screen readers say instead."""
    most = max(max((bar.above for bar in bars), default=0), 1)
    worst = max(max((bar.counts.get(Status.FAILED, 0) for bar in bars), default=0), 1)
    width = _WIDTH / max(len(bars), 1)
    parts = [part for number, bar in enumerate(bars) for part in _bar(bar, number * width, width, most, worst)]
    opening = (
        f'<svg class="plot" role="img" aria-label="{escape(label)}" viewBox="0 0 {_WIDTH} {_ABOVE + _BELOW}" '
        'preserveAspectRatio="none">'
    )
    line = f'<line class="axis" x1="0" x2="{_WIDTH}" y1="{_ABOVE}" y2="{_ABOVE}"/>'
    return Markup("".join([opening, *parts, line, "</svg>"]))  # noqa: S704 - all but the label is ours


def _bar(bar: Bar, left: float, width: float, most: int, worst: int) -> Iterator[str]:
    if not any(bar.counts.values()):
        return
    yield f"<g><title>{bar.since:%d %b %H:%M} UTC: {bar.words}</title>"
    top = float(_ABOVE)
    for status in _STACK:
        if count := bar.counts.get(status):
            height = max(count / most * _ABOVE, _LEAST)
            top = max(top - height, 0.0)
            yield _rectangle(status, left, top, width, height)
    if count := bar.counts.get(Status.FAILED):
        yield _rectangle(Status.FAILED, left, _ABOVE, width, max(count / worst * _BELOW, _LEAST))
    yield "</g>"


def _rectangle(status: Status, left: float, top: float, width: float, height: float) -> str:
    place = f'x="{left + _GAP / 2:.1f}" y="{top:.1f}" width="{width - _GAP:.1f}" height="{height:.1f}"'
    return f'<rect class="bar {status}" {place}/>'
