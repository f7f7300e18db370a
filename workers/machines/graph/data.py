"""A state machine's picture as data, for programs that draw themselves."""

from typing import Any

from workers.machines.graph.chart import Box, Chart, Way
from workers.machines.graph.progress import Progress


def data(chart: Chart, progress: Progress | None = None) -> dict[str, Any]:
    """The states of a branch, each with its branches, and the ways between them; with `progress`, what became of each.

    JSON: `start`, `states` (name, type, detail, ends, branches, and of an execution its fate and a note) and `ways`
    (source, target, kind, label, and whether an execution took it).
    """
    return {
        "start": chart.start,
        "states": [_state(box, progress) for box in chart.boxes.values()],
        "ways": [_way(way, progress) for way in chart.ways],
    }


def _state(box: Box, progress: Progress | None) -> dict[str, Any]:
    seen = {"fate": str(progress.fate(box.name)), "note": progress.note(box.name)} if progress else {}
    branches = [data(branch, progress) for branch in box.branches]
    return {"name": box.name, "type": box.type, "detail": box.detail, "ends": box.ends, **seen, "branches": branches}


def _way(way: Way, progress: Progress | None) -> dict[str, Any]:
    seen = {"taken": (way.source, way.target) in progress.taken} if progress else {}
    return {"source": way.source, "target": way.target, "kind": str(way.kind), "label": way.label, **seen}
