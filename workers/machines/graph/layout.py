"""Where the boxes and the ways of a chart stand in its picture."""

from dataclasses import dataclass
from unicodedata import east_asian_width

from workers.machines.graph.chart import Box, Chart, Way
from workers.machines.graph.placing import Placed, Size, place
from workers.machines.graph.seen import Seen

START, END = "\0start", "\0end"
PAD, HEADER, MARGIN, LOOP = 18.0, 46.0, 16.0, 30.0
_DOT: Size = (14.0, 14.0)
_LONGEST_LABEL = 36


@dataclass(frozen=True, slots=True)
class Layout:
    """A chart with coordinates, and those of what stands inside of its boxes."""

    chart: Chart
    placed: Placed
    sizes: dict[str, Size]
    inner: dict[str, tuple["Layout", ...]]


def lay_out(chart: Chart, seen: Seen) -> Layout:
    """The layout of a chart; boxes are as wide as what is `seen` of them needs."""
    inner = {box.name: tuple(lay_out(branch, seen) for branch in box.branches) for box in chart.boxes.values()}
    sizes = {
        name: _size(box, caption(box, seen), inner[name], loop_room(name, chart)) for name, box in chart.boxes.items()
    }
    sizes |= {START: _DOT, END: _DOT}
    edges = [(START, chart.start)]
    edges += [(way.source, way.target) for way in chart.ways if way.source != way.target]
    edges += [(box.name, END) for box in chart.boxes.values() if box.ends]
    gap = 76.0 if any(way.label for way in chart.ways) else 40.0
    if not any(box.ends for box in chart.boxes.values()):
        del sizes[END]
    return Layout(chart, place(sizes, edges, START, gap=gap), sizes, inner)


def _size(box: Box, second_line: str, inner: tuple[Layout, ...], room: float) -> Size:
    width = max(text_width(box.name, 7.6), text_width(second_line, 6.2)) + 28
    height = 46.0
    if inner:
        across = sum(layout.placed.size[0] for layout in inner) + PAD * (3 * len(inner) - 1)
        width, height = max(width, across), HEADER + max(layout.placed.size[1] for layout in inner) + 2 * PAD
    return max(width, 96.0) + 2 * room, height


def loop_room(name: str, chart: Chart) -> float:
    """What a way from a state to itself, and its label, take on the state's right side."""
    loops = [way for way in chart.ways if way.source == way.target == name]
    return LOOP + text_width(joined(loops), 6.2) if loops else 0.0


def joined(ways: list[Way]) -> str:
    """The labels of ways between the same two states."""
    return " or ".join(dict.fromkeys(_cut(way.label) for way in ways if way.label))


def caption(box: Box, seen: Seen) -> str:
    """The second line of a box: `task · charge · 2 failed attempts`."""
    return " · ".join(filter(None, [box.type.lower(), box.detail, seen.note(box.name)]))


def text_width(text: str, character: float) -> float:
    """About how wide a text is whose characters have that width; those of East Asia have twice as much."""
    return sum(character * (2 if east_asian_width(sign) in "WF" else 1) for sign in text)


def inner_width(layouts: tuple[Layout, ...]) -> float:
    """What branches beside each other take."""
    return sum(layout.placed.size[0] for layout in layouts) + 3 * PAD * (len(layouts) - 1)


def _cut(label: str) -> str:
    return label if len(label) <= _LONGEST_LABEL else label[: _LONGEST_LABEL - 1] + "…"
