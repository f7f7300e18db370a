"""Coordinates for the layers of a graph: the second half of a layered drawing."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from workers.machines.graph.layers import Edge, Layers, Node, layered

_GAP_ACROSS = 28.0
_GAP_ALONG_EDGES = 14.0
_SWEEPS = 10
_PORTS = 18.0
"""Between two edges that leave, or reach, the same node."""

Point = tuple[float, float]
Size = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Placed:
    """A graph with coordinates; the origin is at the upper left."""

    size: Size
    centers: Mapping[Node, Point]
    routes: Mapping[Edge, tuple[Point, ...]]
    """For each edge the points that it passes, from its source to its target. The first two and the last two are a
    node's side and the end of the node's row, straight above or below it: rows are crossed in straight lines."""


@dataclass(frozen=True, slots=True)
class _Box:
    x: float
    width: float
    top: float
    bottom: float
    row: tuple[float, float]
    """Top and bottom of its row."""


def place(sizes: Mapping[Any, Size], edges: Iterable[Edge], first: Node, *, gap: float) -> Placed:
    """Places nodes of the given sizes in rows that are `gap` apart.

    `first` is where the graph is entered; no edge leads from a node to itself.
    """
    layers = layered(sizes, edges, first)
    widths = {node: sizes[node][0] if node in sizes else 0.0 for row in layers.rows for node in row}
    across = _across(layers, widths)
    left = min(across[node] - width / 2 for node, width in widths.items())
    right = max(across[node] + width / 2 for node, width in widths.items())
    boxes: dict[Node, _Box] = {}
    top = 0.0
    for row in layers.rows:
        height = max((sizes[node][1] for node in row if node in sizes), default=0.0)
        for node in row:
            own = sizes[node][1] if node in sizes else height
            upper = top + (height - own) / 2
            boxes[node] = _Box(across[node] - left, widths[node], upper, upper + own, (top, top + height))
        top += height + gap
    centers = {node: (boxes[node].x, (boxes[node].top + boxes[node].bottom) / 2) for node in sizes}
    return Placed((right - left, top - gap), centers, _routes(layers, boxes))


def _across(layers: Layers, widths: Mapping[Node, float]) -> dict[Node, float]:
    """The horizontal center of each node: as near to its neighbours as the nodes beside it allow."""
    neighbours: dict[Node, list[Node]] = {}
    for upper, lower in layers.links():
        neighbours.setdefault(lower, []).append(upper)
        neighbours.setdefault(upper, []).append(lower)
    across: dict[Node, float] = {}
    for row in layers.rows:
        across |= dict(zip(row, _offsets(row, widths), strict=True))
    for sweep in range(_SWEEPS):
        for row in layers.rows if sweep % 2 == 0 else reversed(layers.rows):
            offsets = _offsets(row, widths)
            wishes = [_mean([across[other] for other in neighbours.get(node, [node])]) for node in row]
            steps = _rising([wish - offset for wish, offset in zip(wishes, offsets, strict=True)])
            across |= {node: step + offset for node, step, offset in zip(row, steps, offsets, strict=True)}
    return across


def _offsets(row: list[Node], widths: Mapping[Node, float]) -> list[float]:
    """The centers of the nodes of a row that stand as close together as they may, from the center of the first."""
    offsets = [0.0]
    for left, right in pairwise(row):
        gap = _GAP_ACROSS if widths[left] and widths[right] else _GAP_ALONG_EDGES
        offsets.append(offsets[-1] + widths[left] / 2 + gap + widths[right] / 2)
    return offsets


def _rising(wishes: list[float]) -> list[float]:
    """The numbers nearest to `wishes`, by least squares, that never fall: neighbours that would are pooled."""
    pools: list[tuple[float, int]] = []
    for wish in wishes:
        total, count = wish, 1
        while pools and pools[-1][0] / pools[-1][1] > total / count:
            before, members = pools.pop()
            total, count = total + before, count + members
        pools.append((total, count))
    return [total / count for total, count in pools for _ in range(count)]


def _routes(layers: Layers, boxes: Mapping[Node, _Box]) -> dict[Edge, tuple[Point, ...]]:
    """The points of each edge. Edges have ports beside each other, but those that run together share one."""
    sides: dict[tuple[Node, bool], dict[Node, float]] = {}
    for edge, path in layers.paths.items():
        for node, beside in ((path[0], path[1]), (path[-1], path[-2])):
            below = boxes[beside].top > boxes[node].top
            sides.setdefault((node, below), {})[_bundle(edge, beside, boxes)] = boxes[beside].x
    ports: dict[tuple[Node, Node], tuple[Point, Point]] = {}
    for (node, below), meeting in sides.items():
        box = boxes[node]
        spread = min(_PORTS, 0.7 * box.width / len(meeting))
        for index, bundle in enumerate(sorted(meeting, key=meeting.__getitem__)):
            x = box.x + (index - (len(meeting) - 1) / 2) * spread
            ports[node, bundle] = ((x, box.bottom), (x, box.row[1])) if below else ((x, box.top), (x, box.row[0]))
    routes = {}
    for edge, path in layers.paths.items():
        points = [*ports[path[0], _bundle(edge, path[1], boxes)]]
        for node in path[1:-1]:
            ends = [(boxes[node].x, height) for height in boxes[node].row]
            points += ends if points[-1][1] <= ends[0][1] else ends[::-1]
        routes[edge] = (*points, *reversed(ports[path[-1], _bundle(edge, path[-2], boxes)]))
    return routes


def _bundle(edge: Edge, beside: Node, boxes: Mapping[Node, _Box]) -> Node:
    """What the edges have in common that meet a node at the same point: the node beside it where edges run together."""
    return edge if boxes[beside].width else beside


def _mean(numbers: list[float]) -> float:
    return sum(numbers) / len(numbers)
