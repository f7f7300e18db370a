"""The states of an execution as they run, put together from its history: all visits of a state together."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from workers.histories.event import Event
from workers.histories.visits import Outcome, Visit, Visits

_WORST_FIRST = (Outcome.FAILED, Outcome.ABORTED, Outcome.CAUGHT, Outcome.SUCCEEDED)


@dataclass(slots=True)
class StateProgress:
    """All visits of one state together."""

    state: str
    type: str
    depth: int
    visits: list[Visit]

    @property
    def outcome(self) -> Outcome:
        """Running while a visit runs; else the worst of all visits' outcomes."""
        outcomes = {visit.outcome for visit in self.visits}
        return next(one for one in (Outcome.RUNNING, *_WORST_FIRST) if one in outcomes)

    @property
    def running(self) -> int:
        """How many visits run."""
        return sum(visit.outcome is Outcome.RUNNING for visit in self.visits)

    @property
    def retries(self) -> int:
        """How often it was tried again."""
        return sum(max(0, visit.tries - 1) for visit in self.visits)

    @property
    def failures(self) -> int:
        """How many tries failed, those that were retried among them."""
        return sum(visit.failures for visit in self.visits)

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
        self.states: dict[str, StateProgress] = {}
        """The states by their names, in the order in which they were first entered."""
        self._visits = Visits()

    @property
    def status(self) -> str | None:
        """The type of the event that ended the execution; None while it runs."""
        return self._visits.end.type if self._visits.end else None

    @property
    def cause(self) -> Visit | None:
        """The visit that the end came from."""
        return self._visits.cause

    @property
    def running(self) -> set[str]:
        """The names of the states that run."""
        return {name for name, state in self.states.items() if state.running}

    def add(self, event: Event) -> None:
        """Takes the next event."""
        self.last = event.id
        if visit := self._visits.add(event):
            new = StateProgress(visit.state, visit.type, visit.depth, [])
            self.states.setdefault(visit.state, new).visits.append(visit)
