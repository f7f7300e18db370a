"""A state machine's picture as data, for programs that draw themselves."""

from typing import Any

from workers.machines.graph.chart import Box, Chart, Way
from workers.machines.graph.seen import Seen


def data(chart: Chart, seen: Seen | None = None) -> dict[str, Any]:
    """The states of a branch, each with its branches, and the ways between them; with `seen`, what became of each.

    JSON: `start`, `states` (name, type, detail, ends, branches, and of an execution its outcome and a note) and `ways`
    (source, target, kind, label, and whether an execution took it).
    """
    return {
        "start": chart.start,
        "states": [_state(box, seen) for box in chart.boxes.values()],
        "ways": [_way(way, seen) for way in chart.ways],
    }


def _state(box: Box, seen: Seen | None) -> dict[str, Any]:
    found = {"outcome": seen.word(box.name), "note": seen.note(box.name)} if seen else {}
    branches = [data(branch, seen) for branch in box.branches]
    return {"name": box.name, "type": box.type, "detail": box.detail, "ends": box.ends, **found, "branches": branches}


def _way(way: Way, seen: Seen | None) -> dict[str, Any]:
    found = {"taken": (way.source, way.target) in seen.taken} if seen else {}
    return {"source": way.source, "target": way.target, "kind": str(way.kind), "label": way.label, **found}
