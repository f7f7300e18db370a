"""Definitions to be examined."""

from typing import Any

CARE = {"timeout_seconds": 600, "heartbeat_seconds": 60}
ALL = {"error_equals": "States.ALL"}


def task(activity: str, **fields: Any) -> dict[str, Any]:
    """A task about which there is nothing to say."""
    return {"type": "task", "resource": activity, "retry": [ALL], **CARE, **fields}


def chain(**states: dict[str, Any]) -> dict[str, Any]:
    """A machine that goes from state to state."""
    names = list(states)
    linked = {}
    for name, following in zip(names, [*names[1:], None], strict=True):
        state = states[name]
        moves = state["type"] not in {"choice", "succeed", "fail"} and not state.keys() & {"next", "end"}
        linked[name] = state | (({"next": following} if following else {"end": True}) if moves else {})
    return {"start_at": names[0], "timeout_seconds": 3600, "states": linked}
