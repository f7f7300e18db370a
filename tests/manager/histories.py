"""Histories as GetExecutionHistory gives them, written down event by event."""

from datetime import UTC, datetime, timedelta
from typing import Any

BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
_DETAILS = {
    "StateEntered": "stateEnteredEventDetails",
    "StateExited": "stateExitedEventDetails",
}


def event(number: int, before: int, kind: str, **details: Any) -> dict[str, Any]:
    """An event, `number` seconds after the beginning."""
    ending = next(
        (key for end, key in _DETAILS.items() if kind.endswith(end)), f"{kind[0].lower()}{kind[1:]}EventDetails"
    )
    item = {"id": number, "previousEventId": before, "type": kind, "timestamp": at(number)}
    return item | ({ending: details} if details else {})


def at(number: int) -> datetime:
    """When event `number` happened."""
    return BEGIN + timedelta(seconds=number)


def in_line(*kinds: tuple[str, dict[str, Any]] | str) -> list[dict[str, Any]]:
    """Events of which each follows the one before; the first is ExecutionStarted."""
    pairs = [("ExecutionStarted", {}), *((kind, {}) if isinstance(kind, str) else kind for kind in kinds)]
    return [event(number, number - 1, kind, **details) for number, (kind, details) in enumerate(pairs, 1)]


def entered(name: str = "work", kind: str = "Task", **details: Any) -> tuple[str, dict[str, Any]]:
    return f"{kind}StateEntered", {"name": name, "input": '{"n": 1}'} | details


def exited(name: str = "work", kind: str = "Task", output: str = '{"m": 2}') -> tuple[str, dict[str, Any]]:
    return f"{kind}StateExited", {"name": name, "output": output}


STARTED = ("ActivityStarted", {"workerName": "worker-7"})
