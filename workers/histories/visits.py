"""The visits of states in an execution, put together from its history: which event belongs to which visit."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from workers.histories.event import Event

_CONTAINERS = frozenset({"Map", "Parallel"})
_FAILED = ("Failed", "TimedOut")
ENDINGS = frozenset({"ExecutionSucceeded", "ExecutionFailed", "ExecutionTimedOut", "ExecutionAborted"})


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
    events: list[Event] = field(repr=False)
    """What happened in it, the entry first; what happened in states inside of it is theirs."""
    around: "Visit | None" = field(default=None, repr=False)
    """The visit of the Map or Parallel that it is part of."""
    inside: "list[Visit]" = field(default_factory=list, repr=False)
    after: "Visit | None" = field(default=None, repr=False)
    """The visit from which the execution came to it; None for the first of a branch."""
    left: datetime | None = None
    outcome: Outcome = Outcome.RUNNING
    tries: int = 0
    """How often it was begun: more than once where it was retried."""
    failures: int = 0
    """How many of those tries failed."""
    failing: bool = False
    """Whether its last try failed."""
    error: str | None = None
    """The error of that try, where it is known."""

    @property
    def id(self) -> int:
        """The id of the event that began it."""
        return self.events[0].id

    @property
    def depth(self) -> int:
        """How many Map and Parallel states are around it."""
        return 0 if self.around is None else self.around.depth + 1


class Visits:
    """All visits of an execution. `add()` takes its events in their order, as they become known."""

    def __init__(self) -> None:
        self.all: list[Visit] = []
        """In the order in which they began."""
        self.end: Event | None = None
        """The event that ended the execution; None while it runs."""
        self.cause: Visit | None = None
        """The visit that the end came from."""
        self._owners: dict[int, Visit | None] = {}
        self._redriven = 0
        """The id of the last redrive's event; what goes on after it follows that event."""
        self._ended_badly: list[Visit] = []
        """What a redrive may go on with, and has not yet."""
        self._open: dict[str, dict[int, Visit]] = {}
        """Those that have not been left, by state and by the id of the event that began them."""

    def add(self, event: Event) -> Visit | None:
        """Takes the next event, and gives the visit that it begins, if it begins one."""
        before = self._resumed(event) if event.previous == self._redriven > 0 else self._owners.get(event.previous)
        if event.type.endswith("StateEntered"):
            self._owners[event.id] = visit = self._enter(event, before)
            return visit
        if event.type.endswith("StateExited"):
            self._owners[event.id] = self._exit(event, before)
        elif event.type in ENDINGS:
            self._owners[event.id] = before
            self._end(event, before)
        elif event.type == "ExecutionRedriven":
            self._redrive(event)
        else:
            self._owners[event.id] = self._happened(event, before)
        return None

    def _redrive(self, event: Event) -> None:
        self.end = self.cause = None
        self._redriven = event.id
        unfinished = (Outcome.FAILED, Outcome.ABORTED)
        self._ended_badly = [one for one in self.all if one.outcome in unfinished and one.type not in _CONTAINERS]

    def _resumed(self, event: Event) -> Visit | None:
        """The visit that goes on after a redrive: the history names it only by what happens in it.

        Where a state is entered anew, what goes on is the visit around it.
        """

        def fits(visit: Visit) -> bool:
            if event.state is not None:
                return visit.state == event.state
            resource = event.details.get("resource")
            return any(one.type == event.type and one.details.get("resource") == resource for one in visit.events)

        visit = next((one for one in self._ended_badly if fits(one)), None)
        if visit is None:
            return None
        self._ended_badly.remove(visit)
        resumed = visit.around if event.type.endswith("StateEntered") else visit
        for one in outward(resumed):
            one.left, one.outcome, one.failing, one.error = None, Outcome.RUNNING, False, None
            self._opened(one)
        return resumed

    def _enter(self, event: Event, before: Visit | None) -> Visit:
        kind = event.type.removesuffix("StateEntered")
        around = before if before and before.type in _CONTAINERS and before.left is None else before and before.around
        after = before if before is not around else None
        visit = Visit(event.state or "", kind, event.at, [event], around, after=after)
        if kind == "Fail":  # it has no exit
            visit.outcome, visit.left, visit.failing = Outcome.FAILED, event.at, True
        else:
            self._opened(visit)
        if around:
            around.inside.append(visit)
        self.all.append(visit)
        return visit

    def _exit(self, event: Event, before: Visit | None) -> Visit | None:
        visit = next((one for one in outward(before) if one.state == event.state and one.left is None), None)
        if visit:
            visit.events.append(event)
            self._close(visit, event.at, Outcome.CAUGHT if visit.failing else Outcome.SUCCEEDED)
        return visit

    def _happened(self, event: Event, before: Visit | None) -> Visit | None:
        """An event inside of a state."""
        visit = self._owner(event, before)
        if visit is None:
            return None
        visit.events.append(event)
        if event.type.endswith("Scheduled") or event.type in {"MapStateStarted", "ParallelStateStarted"}:
            visit.tries += 1
            visit.failing, visit.error = False, None
        elif event.type.endswith(_FAILED) and not event.type.startswith("MapIteration"):
            visit.failing, visit.error = True, event.details.get("error", visit.error)
            visit.failures += 1
            if visit.type in _CONTAINERS:
                self._close_inside(visit, event.at)
        return visit

    def _owner(self, event: Event, before: Visit | None) -> Visit | None:
        """The visit that the event is part of."""
        if event.type.startswith(("MapIteration", "MapState", "MapRun", "ParallelState")):
            kind = "Parallel" if event.type.startswith("Parallel") else "Map"
            return next((one for one in outward(before) if one.type == kind and one.left is None), before)
        if event.type == "EvaluationFailed":  # it follows what was before the state
            return next(reversed(self._open.get(event.state or "", {}).values()), before)
        return before

    def _end(self, event: Event, before: Visit | None) -> None:
        self.end, self.cause = event, before
        if event.type == "ExecutionFailed":
            for visit in outward(before):
                visit.failing = True
                visit.error = visit.error or event.details.get("error")
        for visit in self.all:
            if visit.left is None:
                self._close(visit, event.at, Outcome.FAILED if visit.failing else Outcome.ABORTED)

    def _opened(self, visit: Visit) -> None:
        self._open.setdefault(visit.state, {})[visit.id] = visit

    def _close(self, visit: Visit, at: datetime, outcome: Outcome) -> None:
        visit.left, visit.outcome = at, outcome
        self._open.get(visit.state, {}).pop(visit.id, None)
        if visit.type in _CONTAINERS:
            self._close_inside(visit, at)

    def _close_inside(self, container: Visit, at: datetime) -> None:
        for visit in container.inside:
            if visit.left is None:
                self._close(visit, at, Outcome.FAILED if visit.failing else Outcome.ABORTED)


def outward(visit: Visit | None) -> Iterator[Visit]:
    """A visit and those around it."""
    while visit:
        yield visit
        visit = visit.around
