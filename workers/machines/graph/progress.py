"""How far an execution has come, read from its history."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from workers.machines.graph.chart import Chart

_ENTERED, _EXITED = "StateEntered", "StateExited"
_NAMED_BY = {
    "stateEnteredEventDetails": "name",
    "stateExitedEventDetails": "name",
    "evaluationFailedEventDetails": "state",
}
"""The details that name the state an event belongs to."""
_FAILURES = ("Failed", "TimedOut")


class Fate(StrEnum):
    """What became of a state in an execution."""

    FAILED = "failed"
    CAUGHT = "caught"
    """It failed, and the execution went on through a catcher."""
    RUNNING = "running"
    STOPPED = "stopped"
    """It ran when the execution, or the branch beside it, ended."""
    PASSED = "passed"
    NOT_TAKEN = "not taken"


@dataclass(slots=True)
class Visits:
    """What happened in a state, all its iterations together."""

    entered: int = 0
    passed: int = 0
    caught: int = 0
    failed: int = 0
    attempts_failed: int = 0
    """Failures of the task itself, those that were retried among them."""


@dataclass(frozen=True, slots=True)
class Progress:
    """The fates of the states in one execution."""

    visits: Mapping[str, Visits] = field(default_factory=dict)
    taken: frozenset[tuple[str, str]] = frozenset()
    """The ways that were taken, from state to state."""
    ended: bool = False

    def fate(self, state: str) -> Fate:
        """What became of `state`; of several iterations, the worst."""
        if not (seen := self.visits.get(state)):
            return Fate.NOT_TAKEN
        if seen.failed:
            return Fate.FAILED
        if seen.entered > seen.passed + seen.caught:
            return Fate.STOPPED if self.ended else Fate.RUNNING
        return Fate.CAUGHT if seen.caught else Fate.PASSED

    def note(self, state: str) -> str:
        """How often, where it was not just once: `3 times`, `2 failed attempts`."""
        seen = self.visits.get(state)
        if not seen:
            return ""
        failed = f"{seen.attempts_failed} failed attempt{'s' * (seen.attempts_failed > 1)}"
        times = [f"{seen.entered} times"] if seen.entered > 1 else []
        return ", ".join([*times, *([failed] if seen.attempts_failed else [])])


def read_history(chart: Chart, events: Iterable[Mapping[str, Any]]) -> Progress:
    """The progress of an execution of the machine in `chart`.

    `events` as GetExecutionHistory gives them, oldest first; nothing is expected of their details but state names.
    """
    reader = _Reader(chart)
    for event in events:
        reader.take(event)
    return Progress(reader.visits, frozenset(reader.taken), reader.ended)


class _Reader:
    """Follows the chain of `previousEventId`, along which each event belongs to a state."""

    def __init__(self, chart: Chart) -> None:
        self._around = {box.name: around for box, around in chart.walk()}
        self._types = {box.name: box.type for box, _ in chart.walk()}
        self._owners: dict[int, str | None] = {}
        self._kinds: dict[int, str] = {}
        self._failing: set[int] = set()
        self.visits: dict[str, Visits] = {}
        self.taken: set[tuple[str, str]] = set()
        self.ended = False

    def take(self, event: Mapping[str, Any]) -> None:
        number, before, kind = int(event["id"]), int(event.get("previousEventId", 0)), str(event["type"])
        owner = self._owner(event, before, kind)
        self._owners[number], self._kinds[number] = owner, kind
        if kind.startswith("Execution"):
            self._end(kind, owner, before)
        elif owner:
            self._follow(kind, owner, before)
            if _is_failure(kind):
                self._failing.add(number)

    def _follow(self, kind: str, owner: str, before: int) -> None:
        seen = self.visits.setdefault(owner, Visits())
        handled = before in self._failing and self._owners.get(before) == owner
        if handled:
            seen.failed -= 1
        if kind.endswith(_ENTERED):
            seen.entered += 1
            seen.failed += self._types.get(owner) == "Fail"
            if self._kinds.get(before, "").endswith(_EXITED):
                self.taken.add((str(self._owners[before]), owner))
        elif kind.endswith(_EXITED):
            seen.caught += handled
            seen.passed += not handled
        elif _is_failure(kind):
            seen.failed += 1
            seen.attempts_failed += 1

    def _end(self, kind: str, owner: str | None, before: int) -> None:
        if kind in {"ExecutionStarted", "ExecutionRedriven"}:
            self.ended = False
            for seen in self.visits.values():  # what had failed runs again
                seen.failed = 0
            self._failing.clear()
            return
        self.ended = True
        unexplained = before not in self._failing and not self._kinds.get(before, "").endswith("FailStateEntered")
        if kind == "ExecutionFailed" and owner in self.visits and unexplained:
            self.visits[owner].failed += 1

    def _owner(self, event: Mapping[str, Any], before: int, kind: str) -> str | None:
        """The state that an event belongs to: named by the event, else found along the chain."""
        for details, key in _NAMED_BY.items():
            if key in event.get(details, ()):
                return str(event[details][key])
        owner = self._owners.get(before)
        for container in ("Map", "Parallel"):
            if kind.startswith(container) and not self._kinds.get(before, "").startswith(container):
                owner = owner and self._around.get(owner)
                while owner and self._types.get(owner) != container:
                    owner = self._around.get(owner)
        return owner


def _is_failure(kind: str) -> bool:
    return kind.endswith(_FAILURES) and not kind.startswith("MapIteration")
