"""Nodes of a graph in layers, so that edges lead downwards: the first half of a layered drawing (Sugiyama's method)."""

from collections.abc import Hashable, Iterable
from dataclasses import dataclass, field
from itertools import pairwise

Node = Hashable
Edge = tuple[Node, Node]

_SWEEPS = 8


@dataclass(slots=True)
class Layers:
    """The nodes of each layer from left to right, and the paths of the edges through the layers."""

    rows: list[list[Node]] = field(default_factory=list)
    paths: dict[Edge, list[Node]] = field(default_factory=dict)
    """For each edge its two ends, and between them a node in each layer that it crosses. Edges to the same node share
    these, so that they run together before they reach it."""

    def links(self) -> list[Edge]:
        """Pairs of nodes in neighbouring layers that an edge connects, the upper one first."""
        row_of = {node: index for index, row in enumerate(self.rows) for node in row}
        steps = dict.fromkeys(pair for path in self.paths.values() for pair in pairwise(path))
        return [(upper, lower) if row_of[upper] < row_of[lower] else (lower, upper) for upper, lower in steps]


def layered(nodes: Iterable[Node], edges: Iterable[Edge], first: Node) -> Layers:
    """The layers of a graph that is entered at `first`. Edges that close a circle lead upwards; none is a loop."""
    order = [first, *(node for node in nodes if node != first)]
    upward = _closing(order, edges := list(dict.fromkeys(edges)))
    downward = [(target, source) if (source, target) in upward else (source, target) for source, target in edges]
    ranks = _ranks(order, downward)
    layers = Layers([[] for _ in range(max(ranks.values()) + 1)])
    for node in order:
        layers.rows[ranks[node]].append(node)
    for edge, (upper, lower) in zip(edges, downward, strict=True):
        between: list[Node] = []
        for rank in range(ranks[upper] + 1, ranks[lower]):
            between.append(node := (edge[1], rank))
            if node not in ranks:
                ranks[node] = rank
                layers.rows[rank].append(node)
        path = [upper, *between, lower]
        layers.paths[edge] = path if edge not in upward else path[::-1]
    _uncross(layers)
    return layers


def _closing(order: list[Node], edges: list[Edge]) -> set[Edge]:
    """The edges that lead back to where a walk through the graph has come from."""
    after: dict[Node, list[Node]] = {node: [] for node in order}
    for source, target in edges:
        after[source].append(target)
    found: set[Edge] = set()
    seen: set[Node] = set()
    for root in order:
        if root in seen:
            continue
        seen.add(root)
        walk = {root: iter(after[root])}
        while walk:
            node = next(reversed(walk))
            target = next(walk[node], None)
            if target is None:
                del walk[node]
            elif target in walk:
                found.add((node, target))
            elif target not in seen:
                seen.add(target)
                walk[target] = iter(after[target])
    return found


def _ranks(order: list[Node], edges: list[Edge]) -> dict[Node, int]:
    """How far below the top each node stands: below all that lead to it."""
    ranks = dict.fromkeys(order, 0)
    waiting = dict.fromkeys(order, 0)
    after: dict[Node, list[Node]] = {node: [] for node in order}
    for source, target in edges:
        after[source].append(target)
        waiting[target] += 1
    ready = [node for node in order if not waiting[node]]
    for node in ready:
        for target in after[node]:
            ranks[target] = max(ranks[target], ranks[node] + 1)
            waiting[target] -= 1
            if not waiting[target]:
                ready.append(target)
    return ranks


def _uncross(layers: Layers) -> None:
    """Sorts each layer by where its neighbours stand, downwards and upwards by turns."""
    above: dict[Node, list[Node]] = {}
    below: dict[Node, list[Node]] = {}
    for upper, lower in layers.links():
        above.setdefault(lower, []).append(upper)
        below.setdefault(upper, []).append(lower)
    places = {node: place for row in layers.rows for place, node in enumerate(row)}
    for sweep in range(_SWEEPS):
        down = sweep % 2 == 0
        neighbours, rows = (above, layers.rows[1:]) if down else (below, layers.rows[-2::-1])
        for row in rows:
            wishes = {node: _mean([places[other] for other in neighbours.get(node, [node])]) for node in row}
            row.sort(key=wishes.__getitem__)
            places |= {node: place for place, node in enumerate(row)}


def _mean(numbers: list[int]) -> float:
    return sum(numbers) / len(numbers)
