"""The picture of an execution: its machine, whose states are links to their steps and take their colours from CSS."""

from dataclasses import replace
from xml.sax.saxutils import quoteattr

from markupsafe import Markup

from workers.histories.progress import Progress
from workers.machines.graph.chart import DISTRIBUTED, Box, Chart, Way
from workers.machines.graph.layout import MARGIN, lay_out
from workers.machines.graph.pen import Pen, clean, n, xml
from workers.machines.graph.placing import Point
from workers.machines.graph.seen import Seen
from workers.web.execution.view import View
from workers.web.execution.words import note, state_word, ways_taken

_MANY = 80
"""States from which on the insides of all Map and Parallel states are hidden until somebody wants to see them."""
_WIDE = 200
"""Pixels of a box from which on its note has room in the right half."""
_ARROW = (
    '<defs><marker id="arrow" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto" '
    'markerUnits="userSpaceOnUse"><path class="head" d="M0 0L8 4L0 8z"/></marker></defs>'
)


def picture(chart: Chart, progress: Progress, view: View, *, title: str, is_item: bool = False) -> Markup:
    """The picture as SVG for a page: markup in which names, and all else that is not ours, are escaped.

    `is_item`: whether the execution is one of the items of a distributed Map in this machine.
    """
    boxes = [box for box, _ in chart.walk()]
    containers = frozenset(box.name for box in boxes if box.branches)
    # What is inside of a distributed Map runs in executions of its own: others never enter it.
    elsewhere = frozenset(box.name for box in boxes if box.type == "Map" and box.detail == DISTRIBUTED and not is_item)
    hidden = (containers if len(boxes) > _MANY else elsewhere) ^ (view.fold & containers)
    layout = lay_out(folded(chart, hidden), Seen())
    width, height = (n(side + 2 * MARGIN) for side in layout.placed.size)
    pen = _LivePen(progress, view, containers, hidden)
    opening = (
        f'<svg class="machine" role="group" aria-label={_attribute(title)} '
        f'width="{width}" height="{height}" viewBox="0 0 {width} {height}">'
    )
    return Markup("\n".join([opening, _ARROW, *pen.chart(layout, (MARGIN, MARGIN)), "</svg>"]))  # noqa: S704 - escaped


def folded(chart: Chart, hidden: frozenset[str]) -> Chart:
    """The chart without what is inside of the states `hidden`."""

    def shown(box: Box) -> Box:
        if box.name not in hidden:
            return replace(box, branches=tuple(folded(branch, hidden) for branch in box.branches))
        count = sum(1 for branch in box.branches for _ in branch.walk())
        inside = f"{count} state{'s' * (count > 1)} inside"
        return replace(box, branches=(), detail=" · ".join(filter(None, [box.detail, inside])))

    return replace(chart, boxes={name: shown(box) for name, box in chart.boxes.items()})


class _LivePen(Pen):
    """Draws each state as a link with its outcome as a class, which a script changes while the execution runs."""

    def __init__(self, progress: Progress, view: View, containers: frozenset[str], hidden: frozenset[str]) -> None:
        super().__init__(None)
        self._states = progress.states
        self._taken = ways_taken(progress)
        self._view = view
        self._containers = containers
        self._hidden = hidden

    def ends(self, way: Way) -> str:
        """Between which states a line leads, and whether it was taken."""
        taken = "data-taken " if (way.source, way.target) in self._taken else ""
        return f"data-from={_attribute(way.source)} data-to={_attribute(way.target)} {taken}"

    def edge(self, box: Box, line: str, *, ended: bool) -> str:
        """The same for the lines from the start and to the end."""
        word = state_word(self._states.get(box.name))
        taken = word in {"succeeded", "caught"} or box.type == "Fail" if ended else True
        mark = "data-taken " if taken and box.name in self._states else ""
        end = "end" if ended else "start"
        return f'<path class="way" data-{end}={_attribute(box.name)} data-type="{box.type}" {mark}d="{line}"/>'

    def opening(self, box: Box, second_line: str) -> str:
        """The group of a state, and the link on its box."""
        state = self._states.get(box.name)
        word, told = state_word(state), note(state)
        label = ", ".join(filter(None, [box.name, second_line, told, word.replace("-", " ")]))
        chosen = ' aria-current="true"' if self._view.state == box.name else ""
        link = self._view.link(state=box.name, visit=None)
        return (
            f'<g class="state {word}" data-state={_attribute(box.name)} data-kind={_attribute(second_line)}>'
            f"<a href={_attribute(link)} aria-label={_attribute(label)}{chosen}>"
        )

    def sign(self, box: Box, corner: Point, width: float) -> str:
        """The sign of the outcome, how often, and for a state that holds others what shows or hides them."""
        x, y = corner
        state = self._states.get(box.name)
        mark = f'<circle class="under" cx="{n(x + 3)}" cy="{n(y + 3)}" r="10"/>'
        mark += (
            f'<use class="sign" href="#i-{state_word(state)}" x="{n(x - 5)}" y="{n(y - 5)}" width="16" height="16"/>'
        )
        # Lines come from above to the middle of a box: beside it stands the note of a narrow one, which may be longer.
        place = ("note", x + width - 4) if width > _WIDE else ("note beside", x + width / 2 + 8)
        mark += f'<text class="{place[0]}" x="{n(place[1])}" y="{n(y - 5)}">{xml(note(state))}</text></a>'
        if box.name not in self._containers:
            return mark
        is_hidden = box.name in self._hidden
        label = f"{'Show' if is_hidden else 'Hide'} what is inside of {box.name}"
        at_x, at_y = n(x + width - 26), n(y + 8)
        return (
            f'{mark}<a class="fold" data-fold={_attribute(box.name)} '
            f"href={_attribute(self._view.toggled(box.name))} aria-label={_attribute(label)}>"
            f'<rect x="{at_x}" y="{at_y}" width="20" height="20" rx="5"/>'
            f'<use href="#i-{"plus" if is_hidden else "minus"}" x="{n(x + width - 22)}" y="{n(y + 12)}" '
            'width="12" height="12"/></a>'
        )


def _attribute(text: str) -> str:
    """A quoted attribute."""
    return quoteattr(clean(text))
