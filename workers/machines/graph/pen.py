"""Draws a chart that is laid out: its elements in SVG."""

import re
from collections.abc import Iterator
from itertools import pairwise
from xml.sax.saxutils import escape

from workers.histories.visits import Outcome
from workers.machines.graph.chart import Box, Kind, Way
from workers.machines.graph.layout import (
    END,
    HEADER,
    LOOP,
    PAD,
    START,
    Layout,
    caption,
    inner_width,
    joined,
    loop_room,
    text_width,
)
from workers.machines.graph.placing import Point
from workers.machines.graph.seen import Seen

_NO_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


class Pen:
    """Draws charts as they are, or with `seen` coloured by what an execution did.

    `edge`, `ends`, `opening` and `sign` are for pens that write more into the elements.
    """

    def __init__(self, seen: Seen | None) -> None:
        self.seen = seen

    def chart(self, layout: Layout, origin: Point) -> Iterator[str]:
        """The elements of a chart whose upper left corner stands at `origin`: ways, then boxes, then labels."""
        yield f'<g transform="translate({n(origin[0])} {n(origin[1])})">'
        for (source, target), points in layout.placed.routes.items():
            if source == START or target == END:
                name = str(target if source == START else source)
                yield self.edge(layout.chart.boxes[name], _curve(points), ended=target == END)
        labels = []
        for index, ways in enumerate(_by_ends(layout.chart.ways)):
            if ways[0].source == ways[0].target:
                line, label = _loop(ways, layout)
            else:
                points = layout.placed.routes[ways[0].source, ways[0].target]
                line, label = _curve(points), _label(ways, points, index)
            yield self.way(ways, line)
            labels.append(label)
        yield from self._dots(layout)
        for box in layout.chart.boxes.values():
            yield from self._box(box, layout)
        yield from filter(None, labels)
        yield "</g>"

    def taken(self, box: Box, *, ended: bool) -> str:
        """The class of the way into the first state, or out of one that ends the branch."""
        if not self.seen:
            return ""
        outcome = self.seen.outcome(box.name)
        done = outcome in {Outcome.SUCCEEDED, Outcome.CAUGHT} or box.type == "Fail"
        return "taken" if outcome and (done or not ended) else "missed"

    def _dots(self, layout: Layout) -> Iterator[str]:
        centers = layout.placed.centers
        x, y = centers[START]
        yield f'<circle class="dot" cx="{n(x)}" cy="{n(y)}" r="7"/>'
        if END in centers:
            x, y = centers[END]
            yield f'<circle class="box" cx="{n(x)}" cy="{n(y)}" r="7"/>'
            yield f'<circle class="dot" cx="{n(x)}" cy="{n(y)}" r="3.5"/>'

    def edge(self, box: Box, line: str, *, ended: bool) -> str:
        """The way into the first state, or out of one that ends the branch."""
        return f'<path class="way {self.taken(box, ended=ended)}" d="{line}"/>'

    def way(self, ways: list[Way], line: str) -> str:
        """The ways between two states, as one line."""
        classes = ["way"]
        if all(way.kind is Kind.CATCH for way in ways):
            classes.append("catch")
        if self.seen:
            taken = (ways[0].source, ways[0].target) in self.seen.taken
            classes.append("taken" if taken else "missed")
        title = " or ".join(way.label for way in ways if way.label)
        inside = f"<title>{xml(title)}</title>" if title else ""
        return f'<path class="{" ".join(classes)}" {self.ends(ways[0])}d="{line}">{inside}</path>'

    def ends(self, way: Way) -> str:
        """Attributes that tell of a line which states it connects."""
        del way
        return ""

    def opening(self, box: Box, second_line: str) -> str:
        """The element around a box, and all that is in it."""
        word = self.seen.word(box.name) if self.seen else ""
        return f"<g><title>{xml(': '.join(filter(None, [box.name, second_line, word])))}</title>"

    def sign(self, box: Box, corner: Point, width: float) -> str:
        """What else stands at a box, whose upper left corner is given, before what is inside of it."""
        del box, corner, width
        return ""

    def _box(self, box: Box, layout: Layout) -> Iterator[str]:
        (x, y), (width, height) = layout.placed.centers[box.name], layout.sizes[box.name]
        width -= 2 * loop_room(box.name, layout.chart)
        word = self.seen.word(box.name) if self.seen else ""
        second_line = caption(box, self.seen or Seen())
        classes = " ".join(filter(None, ["box", "group" if box.branches else "", word.replace(" ", "-")]))
        yield self.opening(box, second_line)
        yield _outline(box, x - width / 2, y - height / 2, width, height, classes)
        top = y - height / 2 if box.branches else y - 23
        yield _text("name", x, top + 20, box.name)
        yield _text("kind", x, top + 36, second_line)
        if sign := self.sign(box, (x - width / 2, y - height / 2), width):
            yield sign
        left = x - width / 2 + (width - inner_width(layout.inner[box.name])) / 2
        for index, inner in enumerate(layout.inner[box.name]):
            if index:
                line = left - PAD * 1.5
                yield f'<path class="divider" d="M{n(line)} {n(top + HEADER)}V{n(y + height / 2)}"/>'
            yield from self.chart(inner, (left, top + HEADER + PAD / 2))
            left += inner.placed.size[0] + 3 * PAD
        yield "</g>"


def _by_ends(ways: tuple[Way, ...]) -> list[list[Way]]:
    """The ways, those between the same two states together."""
    found: dict[tuple[str, str], list[Way]] = {}
    for way in ways:
        found.setdefault((way.source, way.target), []).append(way)
    return list(found.values())


def _loop(ways: list[Way], layout: Layout) -> tuple[str, str]:
    """The line that leads from a state to itself, and its label."""
    name = ways[0].source
    (x, y), (width, _) = layout.placed.centers[name], layout.sizes[name]
    right = x + width / 2 - loop_room(name, layout.chart)
    far = right + LOOP
    line = f"M{n(right - 6)} {n(y + 11)}C{n(far)} {n(y + 22)} {n(far)} {n(y - 22)} {n(right - 6)} {n(y - 11)}"
    text = joined(ways)
    return line, _label_at(far + text_width(text, 6.2) / 2, y + 4, text) if text else ""


def _label(ways: list[Way], points: tuple[Point, ...], index: int) -> str:
    """The label of a way, on its first bend."""
    if not (text := joined(ways)):
        return ""
    (x, y), (to_x, to_y) = points[1:3]
    along = (0.32, 0.5, 0.68)[index % 3]  # so that labels of neighbouring ways do not cover each other
    bent = along * along * (3 - 2 * along)  # how far across the curve is when it is that far down
    return _label_at(x + (to_x - x) * bent, y + (to_y - y) * along + 4, text)


def _label_at(x: float, y: float, text: str) -> str:
    """A label, and what keeps the way from running through it."""
    width = text_width(text, 6.2)
    size = f'x="{n(x - width / 2)}" y="{n(y - 11)}" width="{n(width)}" height="15" rx="3"'
    return f'<rect class="behind" {size}/>{_text("label", x, y, text)}'


def _outline(box: Box, x: float, y: float, width: float, height: float, classes: str) -> str:
    if box.type == "Choice":
        cut = 14
        corners = [(x + cut, y), (x + width - cut, y), (x + width, y + height / 2)]
        corners += [(x + width - cut, y + height), (x + cut, y + height), (x, y + height / 2)]
        points = " ".join(f"{n(at)},{n(down)}" for at, down in corners)
        return f'<polygon class="{classes}" points="{points}"/>'
    radius = height / 2 if box.type in {"Succeed", "Fail"} else 8
    return f'<rect class="{classes}" x="{n(x)}" y="{n(y)}" width="{n(width)}" height="{n(height)}" rx="{n(radius)}"/>'


def _curve(points: tuple[Point, ...]) -> str:
    """A smooth line through the points, which leaves each of them straight down or straight up."""
    x, y = points[0]
    line = f"M{n(x)} {n(y)}"
    for (x, y), (to_x, to_y) in pairwise(dict.fromkeys(points)):
        middle = (y + to_y) / 2
        straight = abs(x - to_x) < 0.5
        bend = "L" if straight else f"C{n(x)} {n(middle)} {n(to_x)} {n(middle)} "
        line += f"{bend}{n(to_x)} {n(to_y)}"
    return line


def _text(kind: str, x: float, y: float, text: str) -> str:
    return f'<text class="{kind}" x="{n(x)}" y="{n(y)}">{xml(text)}</text>'


def n(number: float) -> str:
    """A coordinate."""
    return f"{number:.1f}".removesuffix(".0")


def xml(text: str) -> str:
    """`text` as XML can hold it."""
    return escape(clean(text))


def clean(text: str) -> str:
    """`text` without characters that no XML document can hold."""
    return _NO_XML.sub("\ufffd", text)
