"""A state machine as a tree in the terminal."""

from rich.text import Text
from rich.tree import Tree

from workers.histories.visits import Outcome
from workers.machines.graph.chart import Box, Chart, Kind, Way
from workers.machines.graph.seen import Seen

_SIGNS = {
    Outcome.SUCCEEDED: ("✓", "green"),
    Outcome.FAILED: ("✗", "bold red"),
    Outcome.CAUGHT: ("!", "yellow"),
    Outcome.RUNNING: ("▶", "bold cyan"),
    Outcome.ABORTED: ("■", "magenta"),
    None: ("·", "dim"),
}


def tree(chart: Chart, seen: Seen | None = None, *, title: str = "state machine") -> Tree:
    """The states in the order of the definition, where each goes, and what became of it in an execution."""
    root = Tree(Text(title, "bold"))
    _grow(root, chart, seen)
    return root


def _grow(parent: Tree, chart: Chart, seen: Seen | None) -> None:
    for box in chart.boxes.values():
        ways = [way for way in chart.ways if way.source == box.name]
        node = parent.add(_line(box, ways, seen))
        for way in ways:
            if way.kind is not Kind.NEXT:
                arrow = "⇢" if way.kind is Kind.CATCH else "→"
                node.add(Text(f"{way.label} {arrow} {way.target}", _way_style(way, seen)))
        for index, branch in enumerate(box.branches):
            inside = node.add(Text(f"branch {index + 1}", "dim")) if len(box.branches) > 1 else node
            _grow(inside, branch, seen)


def _line(box: Box, ways: list[Way], seen: Seen | None) -> Text:
    """`✓ Add  task add → Done  2 times`."""
    line = Text()
    if seen:
        sign, style = _SIGNS[seen.outcome(box.name)]
        line.append(f"{sign} {box.name}", style)
    else:
        line.append(box.name, "bold")
    line.append(f"  {box.type.lower()} {box.detail}".rstrip(), "dim")
    for way in ways:
        if way.kind is Kind.NEXT:
            line.append(f" → {way.target}", _way_style(way, seen))
    if box.ends:
        line.append(" → end", "dim")
    if seen and (note := seen.note(box.name)):
        line.append(f"  {note}", "italic")
    return line


def _way_style(way: Way, seen: Seen | None) -> str:
    if seen is None:
        return ""
    return "bold" if (way.source, way.target) in seen.taken else "dim"
