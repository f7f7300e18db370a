"""Machines that begin at another of their top states."""

from copy import deepcopy
from typing import Any

from workers.machines.validation.graph import targets
from workers.manager.errors import InvalidError


def begin_at(asl: dict[str, Any], start_at: str) -> dict[str, Any]:
    """A copy of a machine that begins at another of its top states; states that are then never reached are left out.

    Raises `InvalidError` where there is no such state.
    """
    states = asl["States"]
    if start_at not in states:
        raise InvalidError(f"Invalid StartAt state {start_at}: the definition has no such state at its top")
    reached, waiting = {start_at}, [start_at]
    while waiting:
        for _, name in targets(states[waiting.pop()]):
            if name not in reached:
                reached.add(name)
                waiting.append(name)
    return asl | {"StartAt": start_at, "States": {name: deepcopy(states[name]) for name in states if name in reached}}
