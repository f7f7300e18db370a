"""The variables of an execution: what an Assign sets, and how much may be kept (developer guide, "Variables")."""

from collections.abc import Mapping
from typing import Any

from workers.local.documents import DATA_LIMIT_EXCEEDED, LIMIT, byte_length
from workers.local.frames import Frame
from workers.local.run import NOT_TRUNCATED, Run
from workers.local.values.errors import StateError
from workers.local.values.scope import compact

TOTAL_LIMIT = 10 * 1024 * 1024
"""Bytes of UTF-8 that all variables of an execution may have; one Assign may set as many as a state's output has."""


def assign(state: str, run: Run, frame: Frame, variables: Mapping[str, Any]) -> dict[str, Any]:
    """Sets variables in a line of states and gives how the state's event tells of them.

    Raises `StateError` States.DataLimitExceeded.
    """
    texts = {name: compact(value) for name, value in variables.items()}
    size = sum(map(byte_length, texts.values()))
    own = {**frame.own, **variables}
    if size > LIMIT:
        raise _too_large(state)
    run.assigned_bytes += size  # more than is kept, if variables were set again: counted exactly only where it matters
    if run.assigned_bytes > TOTAL_LIMIT:
        held = [own if one is frame else one.own for one in run.all_frames()]
        run.assigned_bytes = sum(byte_length(compact(value)) for each in held for value in each.values())
        if run.assigned_bytes > TOTAL_LIMIT:
            raise _too_large(state)
    frame.own = own
    return {"assignedVariables": texts, "assignedVariablesDetails": NOT_TRUNCATED}


def _too_large(state: str) -> StateError:
    too_large = "have a size exceeding the maximum number of bytes service limit."
    return StateError(DATA_LIMIT_EXCEEDED, f"The variables that the state '{state}' assigns {too_large}")
