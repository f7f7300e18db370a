"""The states of an execution as they run, put together from its history."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from workers.executions.history import Event

_CONTAINERS = frozenset({"Map", "Parallel"})
_FAILED = ("Failed", "TimedOut")
_ENDINGS = frozenset({"ExecutionSucceeded", "ExecutionFailed", "ExecutionTimedOut", "ExecutionAborted"})


class Outcome(StrEnum):
    """How it stands with a state."""

    RUNNING = "running"
    SUCCEEDED = "succeeded"
    CAUGHT = "caught"
    """It failed, and a catcher led on."""
    FAILED = "failed"
    ABORTED = "aborted"
    """It ran when something beside or around it ended."""


@dataclass(slots=True, eq=False)
class Visit:
    """One time that a state was entered."""

    state: str
    type: str
    """`Task`, `Map`, …"""
    entered: datetime
    around: "Visit | None" = field(default=None, repr=False)
    """The visit of the Map or Parallel that it is part of."""
    left: datetime | None = None
    outcome: Outcome = Outcome.RUNNING
    tries: int = 0
    """How often it was begun: more than once where it was retried."""
    failing: bool = False
    """Whether its last try failed."""
    error: str | None = None
    """The error of that try, where it is known."""

    @property
    def depth(self) -> int:
        """How many Map and Parallel states are around it."""
        return 0 if self.around is None else self.around.depth + 1


@dataclass(slots=True)
class StateProgress:
    """All visits of one state together."""

    state: str
    type: str
    depth: int
    visits: list[Visit]

    @property
    def outcome(self) -> Outcome:
        """The outcome that says most: running, else failed, else that of the last visit."""
        outcomes = [visit.outcome for visit in self.visits]
        return next((one for one in (Outcome.RUNNING, Outcome.FAILED) if one in outcomes), outcomes[-1])

    @property
    def running(self) -> int:
        """How many visits run."""
        return sum(visit.outcome is Outcome.RUNNING for visit in self.visits)

    @property
    def retries(self) -> int:
        """How often it was tried again."""
        return sum(max(0, visit.tries - 1) for visit in self.visits)

    @property
    def error(self) -> str | None:
        """The last error of a visit."""
        return next((visit.error for visit in reversed(self.visits) if visit.error), None)

    def seconds(self, now: datetime) -> float:
        """From the first time it was entered to the last time it was left, or to `now` while it runs."""
        ends = [visit.left or now for visit in self.visits]
        return max(0.0, (max(ends) - self.visits[0].entered).total_seconds())

    def to_json(self) -> dict[str, Any]:
        """As `workers executions show --json` prints it."""
        return {
            "state": self.state,
            "type": self.type,
            "outcome": str(self.outcome),
            "visits": len(self.visits),
            "retries": self.retries,
            "error": self.error,
        }


class Progress:
    """The states that an execution has entered. `add()` takes its events in their order, as they become known."""

    def __init__(self) -> None:
        self.last = 0
        """The id of the last event."""
        self.status: str | None = None
        """The type of the event that ended the execution; None while it runs."""
        self._visits: list[Visit] = []
        self._owners: dict[int, Visit | None] = {}

    @property
    def states(self) -> list[StateProgress]:
        """The states in the order in which they were first entered."""
        found: dict[str, StateProgress] = {}
        for visit in self._visits:
            found.setdefault(visit.state, StateProgress(visit.state, visit.type, visit.depth, [])).visits.append(visit)
        return list(found.values())

    @property
    def running(self) -> set[str]:
        """The names of the states that run."""
        return {visit.state for visit in self._visits if visit.outcome is Outcome.RUNNING}

    def add(self, event: Event) -> None:
        """Takes the next event."""
        self.last = event.id
        before = self._owners.get(event.previous)
        if event.type.endswith("StateEntered"):
            self._owners[event.id] = self._enter(event, before)
        elif event.type.endswith("StateExited"):
            self._owners[event.id] = self._exit(event, before)
        elif event.type in _ENDINGS:
            self._owners[event.id] = before
            self._end(event, before)
        elif event.type == "ExecutionRedriven":
            self._owners[event.id] = before
            self.status = None
        else:
            self._owners[event.id] = self._happened(event, before)

    def _enter(self, event: Event, before: Visit | None) -> Visit:
        kind = event.type.removesuffix("StateEntered")
        around = before if before and before.type in _CONTAINERS and before.left is None else before and before.around
        visit = Visit(event.state or "", kind, event.at, around)
        if kind == "Fail":  # it has no exit
            visit.outcome, visit.left, visit.failing = Outcome.FAILED, event.at, True
        self._visits.append(visit)
        return visit

    def _exit(self, event: Event, before: Visit | None) -> Visit | None:
        visit = next((one for one in _outward(before) if one.state == event.state and one.left is None), None)
        if visit:
            self._close(visit, event.at, Outcome.CAUGHT if visit.failing else Outcome.SUCCEEDED)
        return visit

    def _happened(self, event: Event, before: Visit | None) -> Visit | None:
        """An event inside of a state."""
        visit = self._owner(event, before)
        if visit is None:
            return None
        if event.type.endswith("Scheduled") or event.type in {"MapStateStarted", "ParallelStateStarted"}:
            visit.tries += 1
            visit.outcome, visit.left, visit.failing, visit.error = Outcome.RUNNING, None, False, None
        elif event.type.endswith(_FAILED) and not event.type.startswith("MapIteration"):
            visit.failing, visit.error = True, event.details.get("error", visit.error)
            if visit.type in _CONTAINERS:
                self._close_inside(visit, event.at)
        return visit

    def _owner(self, event: Event, before: Visit | None) -> Visit | None:
        """The visit that the event is part of."""
        if event.type.startswith(("MapIteration", "MapState", "MapRun", "ParallelState")):
            kind = "Parallel" if event.type.startswith("Parallel") else "Map"
            return next((one for one in _outward(before) if one.type == kind and one.left is None), before)
        if event.type == "EvaluationFailed":  # it follows what was before the state
            entered = (one for one in reversed(self._visits) if one.state == event.state and one.left is None)
            return next(entered, before)
        return before

    def _end(self, event: Event, before: Visit | None) -> None:
        self.status = event.type
        if event.type == "ExecutionFailed":
            for visit in _outward(before):
                visit.failing = True
                visit.error = visit.error or event.details.get("error")
        for visit in self._visits:
            if visit.left is None:
                self._close(visit, event.at, Outcome.FAILED if visit.failing else Outcome.ABORTED)

    def _close(self, visit: Visit, at: datetime, outcome: Outcome) -> None:
        visit.left, visit.outcome = at, outcome
        if visit.type in _CONTAINERS:
            self._close_inside(visit, at)

    def _close_inside(self, container: Visit, at: datetime) -> None:
        for visit in self._visits:
            if visit.left is None and container in list(_outward(visit.around)):
                visit.left, visit.outcome = at, Outcome.FAILED if visit.failing else Outcome.ABORTED


def _outward(visit: Visit | None) -> Iterator[Visit]:
    """A visit and those around it."""
    while visit:
        yield visit
        visit = visit.around
