"""What became of the states of a machine in an execution, for its picture."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from workers.histories.event import from_item
from workers.histories.progress import Progress, StateProgress
from workers.histories.visits import Outcome

NOT_TAKEN = "not taken"
"""Stands where a state has no outcome."""


@dataclass(frozen=True, slots=True)
class Seen:
    """The states that an execution has entered, and the ways that it took."""

    states: Mapping[str, StateProgress] = field(default_factory=dict)
    taken: frozenset[tuple[str, str]] = frozenset()
    """From state to state."""

    def outcome(self, state: str) -> Outcome | None:
        """What became of `state`; of several visits, the worst. None where it was not taken."""
        found = self.states.get(state)
        return found.outcome if found else None

    def word(self, state: str) -> str:
        """The outcome of `state` in words."""
        return self.outcome(state) or NOT_TAKEN

    def note(self, state: str) -> str:
        """How often, where it was not just once: `3 times`, `2 failed attempts`."""
        found = self.states.get(state)
        if not found:
            return ""
        times = [f"{len(found.visits)} times"] if len(found.visits) > 1 else []
        failed = [f"{found.failures} failed attempt{'s' * (found.failures > 1)}"] if found.failures else []
        return ", ".join(times + failed)


def seen_in(history: Iterable[Mapping[str, Any]]) -> Seen:
    """What is seen in a history: events as GetExecutionHistory gives them, oldest first, inputs and outputs or not."""
    progress = Progress()
    for item in history:
        progress.add(from_item(item, decode=False))
    visits = (visit for state in progress.states.values() for visit in state.visits)
    return Seen(progress.states, frozenset((visit.after.state, visit.state) for visit in visits if visit.after))
