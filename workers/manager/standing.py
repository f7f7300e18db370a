"""Where the branches and items of a Parallel or Map state stood, read from a history, for others to go on there.

A branch or item that was done keeps its output. One that was not goes on in the state in which it stood, or after it
where that had succeeded. What is to be resumed goes on in the state that was named: where several items came there,
those that are not done, or all of them where all are.
"""

import json
from collections import defaultdict
from collections.abc import Sequence
from typing import Any, Literal

from workers.histories.visits import Outcome, Visit, outward
from workers.manager.translation.additions import EXECUTION_NAME, State, is_added, nested
from workers.manager.translation.inside import RESUME, Way
from workers.payloads.document import encode, nodes

_LARGE = 4_096
"""Bytes."""
_BEGINS = frozenset({"MapStateStarted", "ParallelStateStarted"})


def input_inside(visits: Sequence[Visit], machine: State, way: Way, state: str, execution: str) -> Any | None:
    """The input of an execution that goes on at `state`, to which `way` leads; None where nobody came there.

    `visits`: all of them, with those of states that a translation added. `execution`: its name.
    """
    found = next((visit for visit in reversed(visits) if visit.state == state), None)
    if found is None:
        return None
    outermost = list(outward(found))[-1]
    reader = _Reader(way, state, execution)
    first = reader.keep(_input(outermost))
    plan = reader.plan(outermost, machine["States"][way[0][0]], 0)
    return {RESUME: {"values": reader.values, "input": first, "plan": plan}}


class _Reader:
    def __init__(self, way: Way, state: str, execution: str) -> None:
        self._names = [*(name for name, _ in way), state]
        self._execution = execution
        self.values: dict[str, Any] = {}

    def keep(self, text: str | None) -> str:
        """Keeps a value; gives its key."""
        value = json.loads(text or "{}")
        for _, node in list(nodes(value)):
            if isinstance(node, dict) and EXECUTION_NAME in node:
                node[EXECUTION_NAME] = self._execution
        key = f"v{len(self.values)}"
        self.values[key] = value
        return key

    def plan(self, visit: Visit, container: State, depth: int) -> dict[str, Any]:
        """What each unit of a Map or Parallel goes on with."""
        units = _units(visit, container)
        aims = {key: aim for key, (_, visits) in units.items() if (aim := self._aim(visits, depth))}
        open_ = {key: aim for key, aim in aims.items() if not _is_done(*units[key])}
        return {"units": {key: self._unit(*unit, (open_ or aims).get(key), depth) for key, unit in units.items()}}

    def _aim(self, visits: list[Visit], depth: int) -> Visit | None:
        """The last visit on the way to the state."""
        name, target = self._names[depth + 1], self._names[-1]
        return next((one for one in reversed(visits) if one.state == name and _holds(one, target)), None)

    def _unit(self, inner: State, visits: list[Visit], aim: Visit | None, depth: int) -> dict[str, Any]:
        if aim is None:
            return self._standing(inner, visits[-1])
        unit: dict[str, Any] = {"to": aim.state, "value": self.keep(_input(aim))}
        if depth + 2 < len(self._names):
            unit["inside"] = self.plan(aim, inner["States"][aim.state], depth + 1)
        return unit

    def _standing(self, inner: State, last: Visit) -> dict[str, Any]:
        state = inner["States"][last.state]
        if _is_done(inner, [last]):
            return {"to": "", "value": self.keep(_output(last))}
        if last.outcome is Outcome.SUCCEEDED and "Next" in state:
            return {"to": state["Next"], "value": self.keep(_output(last))}
        return {"to": last.state, "value": self.keep(_input(last))}


def large_values(document: Any) -> list[str] | Literal["auto"]:
    """What may be offloaded of an execution's input: of one that says where it goes on, nothing but large values."""
    if not (isinstance(document, dict) and RESUME in document):
        return "auto"
    values = document[RESUME]["values"]
    return [f"$.{RESUME}.values.{key}" for key, value in values.items() if len(encode(value)) > _LARGE]


def _units(visit: Visit, container: State) -> dict[str, tuple[State, list[Visit]]]:
    """The visits of each branch or item in the last try of a container, and the machine that they are of."""
    inners = nested(container)
    begun = max((event.id for event in visit.events if event.type in _BEGINS), default=0)
    indexes = {
        event.id: str(event.details.get("index")) for event in visit.events if event.type == "MapIterationStarted"
    }
    found: dict[str, list[Visit]] = defaultdict(list)
    for one in visit.inside:
        if one.id > begun and not is_added(one.state):
            key = _item(one, indexes) if visit.type == "Map" else _branch(one, inners)
            if key is not None:
                found[key].append(one)
    return {
        key: (inners[0] if visit.type == "Map" else inners[int(key)], visits) for key, visits in sorted(found.items())
    }


def _item(visit: Visit, indexes: dict[int, str]) -> str | None:
    while visit.after is not None:
        visit = visit.after
    return indexes.get(visit.events[0].previous)


def _branch(visit: Visit, inners: list[State]) -> str | None:
    return next((str(number) for number, inner in enumerate(inners) if visit.state in inner["States"]), None)


def _is_done(inner: State, visits: list[Visit]) -> bool:
    last = visits[-1]
    state = inner["States"][last.state]
    return last.outcome is Outcome.SUCCEEDED and (state["Type"] == "Succeed" or bool(state.get("End")))


def _holds(visit: Visit, state: str) -> bool:
    """Whether a state was visited in a visit, or is its own."""
    return visit.state == state or any(_holds(one, state) for one in visit.inside)


def _input(visit: Visit) -> str | None:
    text: str | None = visit.events[0].details.get("input")
    return text


def _output(visit: Visit) -> str | None:
    text: str | None = visit.events[-1].details.get("output")
    return text
