"""What a history knows of the tasks of an execution: which activity was given what, in which state."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from workers.errors import UsageError
from workers.executions.history import execution_history
from workers.executions.names import execution_arn
from workers.histories.event import Event
from workers.stepfunctions.account import Account

_ENDS = {"ActivitySucceeded", "ActivityFailed", "ActivityTimedOut", "ActivityScheduleFailed"}


@dataclass(slots=True)
class Recorded:
    """One try of an activity, as the history has it."""

    state: str
    activity: str
    """Its ARN."""
    input: Any = field(repr=False)
    """What the activity was given, with the envelope of the notation where there was one."""
    cut: bool = False
    """Whether AWS has cut that input in the history."""
    error: str | None = None
    """The name of the error, if it failed."""
    ended: bool = False


async def recorded_task(execution: str, *, state: str | None, account: Account) -> Recorded:
    """The task to run again: of `state` its last failed try, or its last; else what the execution failed of.

    Raises `UsageError` where there is no such task, and `ServiceError`.
    """
    arn = execution_arn(account, execution)
    events = [event async for event in execution_history(arn, account=account)]
    tries = _tries(events)
    if state is not None:
        found = [one for one in tries.values() if one.state == state]
        if not found:
            raise UsageError(f"no activity ran in state {state} of this execution{_those(tries.values())}")
        chosen = next((one for one in reversed(found) if one.error), found[-1])
    else:
        chosen = _failed(events, tries)
    if chosen.cut:
        raise UsageError(f"the history of this execution holds only a part of what state {chosen.state} was given")
    return chosen


def _tries(events: Iterable[Event]) -> dict[int, Recorded]:
    """Each try of an activity, by the id of its ActivityScheduled event."""
    states: dict[int, str] = {}
    scheduled: dict[int, int] = {}
    tries: dict[int, Recorded] = {}
    for event in events:
        state = event.details["name"] if event.type.endswith("StateEntered") else states.get(event.previous, "")
        states[event.id] = state
        if event.type == "ActivityScheduled":
            details = event.details
            cut = bool(details.get("inputDetails", {}).get("truncated"))
            tries[event.id] = Recorded(state, details["resource"], details.get("input"), cut)
            scheduled[event.id] = event.id
        elif (begun := scheduled.get(event.previous)) is not None and event.type.startswith("Activity"):
            scheduled[event.id] = begun
            if event.type in _ENDS:
                tries[begun].ended = True
                tries[begun].error = None if event.type == "ActivitySucceeded" else _error(event)
    return tries


def _error(event: Event) -> str:
    return str(event.details.get("error") or ("States.Timeout" if event.type == "ActivityTimedOut" else "no name"))


def _failed(events: list[Event], tries: dict[int, Recorded]) -> Recorded:
    """What the execution failed of; else what still runs, else what failed last. Raises `UsageError`."""
    by_id = {event.id: event for event in events}
    if events and events[-1].type == "ExecutionFailed":
        for event in _back(events[-1], by_id):
            if event.id in tries and tries[event.id].error:
                return tries[event.id]
            if event.type.endswith("StateExited"):
                break
    found = [one for one in tries.values() if not one.ended] or [one for one in tries.values() if one.error]
    if not found:
        raise UsageError(f"no activity failed in this execution: name a state{_those(tries.values())}")
    return found[-1]


def _back(event: Event, by_id: dict[int, Event]) -> Iterator[Event]:
    """An event and those that led to it."""
    found: Event | None = event
    while found:
        yield found
        found = by_id.get(found.previous)


def _those(tries: Iterable[Recorded]) -> str:
    names = ", ".join(dict.fromkeys(one.state for one in tries))
    return f": activities ran in {names}" if names else ": no activity ran in it"
