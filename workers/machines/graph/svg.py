"""A state machine as SVG, drawn by Python alone."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from unicodedata import east_asian_width
from xml.sax.saxutils import escape

from workers.histories.visits import Outcome
from workers.machines.graph.chart import Box, Chart, Kind, Way
from workers.machines.graph.placing import Placed, Point, Size, place
from workers.machines.graph.seen import Seen

_NO_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_START, _END = "\0start", "\0end"
_DOT: Size = (14.0, 14.0)
_PAD, _HEADER, _MARGIN, _LOOP = 18.0, 46.0, 16.0, 30.0
_LONGEST_LABEL = 36
_STYLE = """
text { font: 13px system-ui, sans-serif; fill: #24292f; text-anchor: middle; }
.kind, .label { font-size: 11px; fill: #57606a; }
.behind { fill: #ffffff; opacity: 0.85; }
.name { font-weight: 600; }
.box { fill: #ffffff; stroke: #57606a; stroke-width: 1.3; }
.group { fill: #f6f8fa; }
.divider { stroke: #d0d7de; stroke-dasharray: 3 3; }
.dot { fill: #57606a; }
.way { fill: none; stroke: #8c959f; stroke-width: 1.3; marker-end: url(#arrow); }
.catch { stroke-dasharray: 5 4; }
.taken { stroke: #24292f; stroke-width: 2.4; }
.missed { opacity: 0.45; }
.succeeded { fill: #dcf5e3; stroke: #1a7f37; }
.failed { fill: #ffe0de; stroke: #cf222e; }
.caught { fill: #fff1cc; stroke: #bf8700; }
.running { fill: #ddf4ff; stroke: #0969da; }
.aborted { fill: #eceef0; stroke: #57606a; }
.not-taken { stroke: #afb8c1; stroke-dasharray: 4 3; }
"""
_ARROW = """<defs>
<marker id="arrow" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto"
 markerUnits="userSpaceOnUse"><path d="M0 0L8 4L0 8z" fill="#57606a"/></marker>
</defs>"""


def svg(chart: Chart, seen: Seen | None = None, *, title: str = "state machine") -> str:
    """The picture of a machine; with `seen`, coloured by what an execution did.

    `title` is what screen readers and browsers call it.
    """
    layout = _lay_out(chart, seen or Seen())
    width, height = (_n(side + 2 * _MARGIN) for side in layout.placed.size)
    size = f'width="{width}" height="{height}" viewBox="0 0 {width} {height}"'
    opening = f'<svg xmlns="http://www.w3.org/2000/svg" role="img" {size}>'
    inside = _Pen(seen).chart(layout, (_MARGIN, _MARGIN))
    return "\n".join(
        [opening, f"<title>{_xml(title)}</title>", f"<style>{_STYLE}</style>", _ARROW, *inside, "</svg>\n"]
    )


@dataclass(frozen=True, slots=True)
class _Layout:
    """A chart with coordinates, and those of what stands inside of its boxes."""

    chart: Chart
    placed: Placed
    sizes: dict[str, Size]
    inner: dict[str, tuple["_Layout", ...]]


def _lay_out(chart: Chart, seen: Seen) -> _Layout:
    inner = {box.name: tuple(_lay_out(branch, seen) for branch in box.branches) for box in chart.boxes.values()}
    sizes = {
        name: _size(box, _kind(box, seen), inner[name], _loop_room(name, chart)) for name, box in chart.boxes.items()
    }
    sizes |= {_START: _DOT, _END: _DOT}
    edges = [(_START, chart.start)]
    edges += [(way.source, way.target) for way in chart.ways if way.source != way.target]
    edges += [(box.name, _END) for box in chart.boxes.values() if box.ends]
    gap = 76.0 if any(way.label for way in chart.ways) else 40.0
    if not any(box.ends for box in chart.boxes.values()):
        del sizes[_END]
    return _Layout(chart, place(sizes, edges, _START, gap=gap), sizes, inner)


def _size(box: Box, kind: str, inner: tuple[_Layout, ...], loop_room: float) -> Size:
    width = max(_text_width(box.name, 7.6), _text_width(kind, 6.2)) + 28
    height = 46.0
    if inner:
        across = sum(layout.placed.size[0] for layout in inner) + _PAD * (3 * len(inner) - 1)
        width, height = max(width, across), _HEADER + max(layout.placed.size[1] for layout in inner) + 2 * _PAD
    return max(width, 96.0) + 2 * loop_room, height


def _loop_room(name: str, chart: Chart) -> float:
    """What a way from a state to itself, and its label, take on the state's right side."""
    loops = [way for way in chart.ways if way.source == way.target == name]
    return _LOOP + _text_width(_joined(loops), 6.2) if loops else 0.0


def _joined(ways: list[Way]) -> str:
    """The labels of ways between the same two states."""
    return " or ".join(dict.fromkeys(_cut(way.label) for way in ways if way.label))


def _kind(box: Box, seen: Seen) -> str:
    """The second line of a box: `task · charge · 2 failed attempts`."""
    return " · ".join(filter(None, [box.type.lower(), box.detail, seen.note(box.name)]))


def _text_width(text: str, character: float) -> float:
    return sum(character * (2 if east_asian_width(sign) in "WF" else 1) for sign in text)


class _Pen:
    def __init__(self, seen: Seen | None) -> None:
        self._seen = seen

    def chart(self, layout: _Layout, origin: Point) -> Iterator[str]:
        """The elements of a chart whose upper left corner stands at `origin`: ways, then boxes, then labels."""
        yield f'<g transform="translate({_n(origin[0])} {_n(origin[1])})">'
        for (source, target), points in layout.placed.routes.items():
            if source == _START or target == _END:
                name = str(target if source == _START else source)
                taken = self._taken(layout.chart.boxes[name], ended=target == _END)
                yield f'<path class="way {taken}" d="{_curve(points)}"/>'
        labels = []
        for index, ways in enumerate(_by_ends(layout.chart.ways)):
            if ways[0].source == ways[0].target:
                line, label = _loop(ways, layout)
            else:
                points = layout.placed.routes[ways[0].source, ways[0].target]
                line, label = _curve(points), _label(ways, points, index)
            yield self._way(ways, line)
            labels.append(label)
        yield from self._dots(layout)
        for box in layout.chart.boxes.values():
            yield from self._box(box, layout)
        yield from filter(None, labels)
        yield "</g>"

    def _taken(self, box: Box, *, ended: bool) -> str:
        """The class of the way into the first state, or out of one that ends the branch."""
        if not self._seen:
            return ""
        outcome = self._seen.outcome(box.name)
        done = outcome in {Outcome.SUCCEEDED, Outcome.CAUGHT} or box.type == "Fail"
        return "taken" if outcome and (done or not ended) else "missed"

    def _dots(self, layout: _Layout) -> Iterator[str]:
        centers = layout.placed.centers
        x, y = centers[_START]
        yield f'<circle class="dot" cx="{_n(x)}" cy="{_n(y)}" r="7"/>'
        if _END in centers:
            x, y = centers[_END]
            yield f'<circle class="box" cx="{_n(x)}" cy="{_n(y)}" r="7"/>'
            yield f'<circle class="dot" cx="{_n(x)}" cy="{_n(y)}" r="3.5"/>'

    def _way(self, ways: list[Way], line: str) -> str:
        classes = ["way"]
        if all(way.kind is Kind.CATCH for way in ways):
            classes.append("catch")
        if self._seen:
            taken = (ways[0].source, ways[0].target) in self._seen.taken
            classes.append("taken" if taken else "missed")
        title = " or ".join(way.label for way in ways if way.label)
        inside = f"<title>{_xml(title)}</title>" if title else ""
        return f'<path class="{" ".join(classes)}" d="{line}">{inside}</path>'

    def _box(self, box: Box, layout: _Layout) -> Iterator[str]:
        (x, y), (width, height) = layout.placed.centers[box.name], layout.sizes[box.name]
        width -= 2 * _loop_room(box.name, layout.chart)
        word = self._seen.word(box.name) if self._seen else ""
        kind = _kind(box, self._seen or Seen())
        classes = " ".join(filter(None, ["box", "group" if box.branches else "", word.replace(" ", "-")]))
        yield f"<g><title>{_xml(': '.join(filter(None, [box.name, kind, word])))}</title>"
        yield _outline(box, x - width / 2, y - height / 2, width, height, classes)
        top = y - height / 2 if box.branches else y - 23
        yield _text("name", x, top + 20, box.name)
        yield _text("kind", x, top + 36, kind)
        left = x - width / 2 + (width - _inner_width(layout.inner[box.name])) / 2
        for index, inner in enumerate(layout.inner[box.name]):
            if index:
                line = left - _PAD * 1.5
                yield f'<path class="divider" d="M{_n(line)} {_n(top + _HEADER)}V{_n(y + height / 2)}"/>'
            yield from self.chart(inner, (left, top + _HEADER + _PAD / 2))
            left += inner.placed.size[0] + 3 * _PAD
        yield "</g>"


def _by_ends(ways: tuple[Way, ...]) -> list[list[Way]]:
    """The ways, those between the same two states together."""
    found: dict[tuple[str, str], list[Way]] = {}
    for way in ways:
        found.setdefault((way.source, way.target), []).append(way)
    return list(found.values())


def _loop(ways: list[Way], layout: _Layout) -> tuple[str, str]:
    """The line that leads from a state to itself, and its label."""
    name = ways[0].source
    (x, y), (width, _) = layout.placed.centers[name], layout.sizes[name]
    right = x + width / 2 - _loop_room(name, layout.chart)
    far = right + _LOOP
    line = f"M{_n(right - 6)} {_n(y + 11)}C{_n(far)} {_n(y + 22)} {_n(far)} {_n(y - 22)} {_n(right - 6)} {_n(y - 11)}"
    text = _joined(ways)
    return line, _label_at(far + _text_width(text, 6.2) / 2, y + 4, text) if text else ""


def _label(ways: list[Way], points: tuple[Point, ...], index: int) -> str:
    """The label of a way, on its first bend."""
    if not (text := _joined(ways)):
        return ""
    (x, y), (to_x, to_y) = points[1:3]
    along = (0.32, 0.5, 0.68)[index % 3]  # so that labels of neighbouring ways do not cover each other
    bent = along * along * (3 - 2 * along)  # how far across the curve is when it is that far down
    return _label_at(x + (to_x - x) * bent, y + (to_y - y) * along + 4, text)


def _label_at(x: float, y: float, text: str) -> str:
    """A label, and what keeps the way from running through it."""
    width = _text_width(text, 6.2)
    size = f'x="{_n(x - width / 2)}" y="{_n(y - 11)}" width="{_n(width)}" height="15" rx="3"'
    return f'<rect class="behind" {size}/>{_text("label", x, y, text)}'


def _inner_width(layouts: tuple[_Layout, ...]) -> float:
    return sum(layout.placed.size[0] for layout in layouts) + 3 * _PAD * (len(layouts) - 1)


def _outline(box: Box, x: float, y: float, width: float, height: float, classes: str) -> str:
    if box.type == "Choice":
        cut = 14
        corners = [(x + cut, y), (x + width - cut, y), (x + width, y + height / 2)]
        corners += [(x + width - cut, y + height), (x + cut, y + height), (x, y + height / 2)]
        points = " ".join(f"{_n(at)},{_n(down)}" for at, down in corners)
        return f'<polygon class="{classes}" points="{points}"/>'
    radius = height / 2 if box.type in {"Succeed", "Fail"} else 8
    return (
        f'<rect class="{classes}" x="{_n(x)}" y="{_n(y)}" width="{_n(width)}" height="{_n(height)}" rx="{_n(radius)}"/>'
    )


def _curve(points: tuple[Point, ...]) -> str:
    """A smooth line through the points, which leaves each of them straight down or straight up."""
    x, y = points[0]
    line = f"M{_n(x)} {_n(y)}"
    for (x, y), (to_x, to_y) in pairwise(dict.fromkeys(points)):
        middle = (y + to_y) / 2
        straight = abs(x - to_x) < 0.5
        bend = "L" if straight else f"C{_n(x)} {_n(middle)} {_n(to_x)} {_n(middle)} "
        line += f"{bend}{_n(to_x)} {_n(to_y)}"
    return line


def _text(kind: str, x: float, y: float, text: str) -> str:
    return f'<text class="{kind}" x="{_n(x)}" y="{_n(y)}">{_xml(text)}</text>'


def _cut(label: str) -> str:
    return label if len(label) <= _LONGEST_LABEL else label[: _LONGEST_LABEL - 1] + "…"


def _n(number: float) -> str:
    return f"{number:.1f}".removesuffix(".0")


def _xml(text: str) -> str:
    """`text` as XML can hold it."""
    return escape(_NO_XML.sub("\ufffd", text))
