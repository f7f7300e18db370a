"""An execution as tests look at it: which states it passed, what came out of each, how often each was tried."""

from collections.abc import Iterable
from dataclasses import dataclass, field, fields
from typing import Any, Self

from workers.executions.execution import Execution
from workers.histories.event import Event
from workers.histories.progress import Progress, StateProgress


@dataclass(frozen=True, kw_only=True)
class MachineRun(Execution):
    """An execution that has ended, with its history."""

    events: tuple[Event, ...] = field(default=(), repr=False)

    @classmethod
    def of(cls, execution: Execution, events: Iterable[Event]) -> Self:
        """`execution` with its history."""
        known = {one.name: getattr(execution, one.name) for one in fields(Execution)}
        return cls(**known, events=tuple(events))

    @property
    def states(self) -> list[str]:
        """The names of the states that were entered, in the order of their first time."""
        return list(self._states())

    def passed(self, state: str) -> bool:
        """Whether the state was entered and left, by its result or by a catcher."""
        return any(event.state == state for event in self._exits())

    def output_of(self, state: str) -> Any:
        """What the state handed on, the last time that it was left. Raises `LookupError`."""
        found = [event for event in self._exits() if event.state == state]
        if not found:
            raise LookupError(f"state {state} was not left; passed: {', '.join(self._names(self._exits())) or 'none'}")
        return found[-1].details.get("output")

    def input_of(self, state: str) -> Any:
        """What the state was given, the last time that it was entered. Raises `LookupError`."""
        entered = [event for event in self.events if event.type.endswith("StateEntered")]
        found = [event for event in entered if event.state == state]
        if not found:
            raise LookupError(f"state {state} was not entered; entered: {', '.join(self._names(entered)) or 'none'}")
        return found[-1].details.get("input")

    def attempts(self, state: str) -> int:
        """How often the state's work was begun: 1 without retries, 0 where it never came to that."""
        found = self._states().get(state)
        return sum(visit.tries for visit in found.visits) if found else 0

    def _exits(self) -> list[Event]:
        return [event for event in self.events if event.type.endswith("StateExited")]

    def _states(self) -> dict[str, StateProgress]:
        progress = Progress()
        for event in self.events:
            progress.add(event)
        return progress.states

    @staticmethod
    def _names(events: Iterable[Event]) -> list[str]:
        return list(dict.fromkeys(event.state or "" for event in events))
