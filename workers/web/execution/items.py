"""The items of Map states: what became of each, and which visits of states are its own."""

from dataclasses import dataclass, field
from datetime import datetime

from workers.histories.event import Event
from workers.histories.progress import Progress
from workers.histories.visits import Outcome, Visit

_ENDS = {
    "MapIterationSucceeded": Outcome.SUCCEEDED,
    "MapIterationFailed": Outcome.FAILED,
    "MapIterationAborted": Outcome.ABORTED,
}
_ORDER = (Outcome.FAILED, Outcome.ABORTED, Outcome.RUNNING, Outcome.SUCCEEDED)


@dataclass(slots=True, eq=False)
class Item:
    """An item of a Map state."""

    index: int
    map: Visit = field(repr=False)
    started: datetime
    ended: datetime | None = None
    outcome: Outcome = Outcome.RUNNING
    visits: list[Visit] = field(default_factory=list, repr=False)

    @property
    def failed_in(self) -> Visit | None:
        """The visit that it failed in: the last one that failed."""
        return next((visit for visit in reversed(self.visits) if visit.outcome is Outcome.FAILED), None)


class Items:
    """The items of all Map states of an execution. `add()` takes its events in their order."""

    def __init__(self) -> None:
        self._of_map: dict[int, dict[int, Item]] = {}
        self._begun: dict[int, Item] = {}
        """By the event that began them."""
        self._of_visit: dict[int, Item] = {}

    def of(self, visit: Visit) -> Item | None:
        """The item that a visit is part of; the innermost."""
        return self._of_visit.get(visit.id)

    def of_map(self, visit: Visit) -> list[Item]:
        """The items of one visit of a Map state: those that failed first, then by their index."""
        found = self._of_map.get(visit.id, {}).values()
        return sorted(found, key=lambda item: (_ORDER.index(item.outcome), item.index))

    def add(self, event: Event, progress: Progress) -> None:
        """Takes an event that `progress` has just taken."""
        if event.type.endswith("StateEntered"):
            self._entered(progress.states[event.state or ""].visits[-1])
        elif event.type.startswith("MapIteration") and event.state in progress.states:
            visits = progress.states[event.state].visits
            if found := next((visit for visit in reversed(visits) if visit.events[-1] is event), None):
                self._iteration(event, found)

    def _entered(self, visit: Visit) -> None:
        item = self._begun.get(visit.events[0].previous)
        if item is None and (beside := visit.after or visit.around):
            item = self._of_visit.get(beside.id)
        if item:
            self._of_visit[visit.id] = item
            item.visits.append(visit)

    def _iteration(self, event: Event, visit: Visit) -> None:
        index = int(event.details.get("index", 0))
        items = self._of_map.setdefault(visit.id, {})
        if event.type == "MapIterationStarted":
            items[index] = self._begun[event.id] = Item(index, visit, event.at)
        elif (item := items.get(index)) and event.type in _ENDS:
            item.ended, item.outcome = event.at, _ENDS[event.type]
