"""A state machine as a tree in the terminal."""

from rich.text import Text
from rich.tree import Tree

from workers.machines.graph.chart import Box, Chart, Kind, Way
from workers.machines.graph.progress import Fate, Progress

_SIGNS = {
    Fate.PASSED: ("✓", "green"),
    Fate.FAILED: ("✗", "bold red"),
    Fate.CAUGHT: ("!", "yellow"),
    Fate.RUNNING: ("▶", "bold cyan"),
    Fate.STOPPED: ("■", "magenta"),
    Fate.NOT_TAKEN: ("·", "dim"),
}


def tree(chart: Chart, progress: Progress | None = None, *, title: str = "state machine") -> Tree:
    """The states in the order of the definition, where each goes, and what became of it in an execution."""
    root = Tree(Text(title, "bold"))
    _grow(root, chart, progress)
    return root


def _grow(parent: Tree, chart: Chart, progress: Progress | None) -> None:
    for box in chart.boxes.values():
        ways = [way for way in chart.ways if way.source == box.name]
        node = parent.add(_line(box, ways, progress))
        for way in ways:
            if way.kind is not Kind.NEXT:
                arrow = "⇢" if way.kind is Kind.CATCH else "→"
                node.add(Text(f"{way.label} {arrow} {way.target}", _way_style(way, progress)))
        for index, branch in enumerate(box.branches):
            inside = node.add(Text(f"branch {index + 1}", "dim")) if len(box.branches) > 1 else node
            _grow(inside, branch, progress)


def _line(box: Box, ways: list[Way], progress: Progress | None) -> Text:
    """`✓ Add  task add → Done  2 times`."""
    line = Text()
    if progress:
        sign, style = _SIGNS[progress.fate(box.name)]
        line.append(f"{sign} {box.name}", style)
    else:
        line.append(box.name, "bold")
    line.append(f"  {box.type.lower()} {box.detail}".rstrip(), "dim")
    for way in ways:
        if way.kind is Kind.NEXT:
            line.append(f" → {way.target}", _way_style(way, progress))
    if box.ends:
        line.append(" → end", "dim")
    if progress and (note := progress.note(box.name)):
        line.append(f"  {note}", "italic")
    return line


def _way_style(way: Way, progress: Progress | None) -> str:
    if progress is None:
        return ""
    return "bold" if (way.source, way.target) in progress.taken else "dim"
