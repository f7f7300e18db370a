"""The history of an execution: events in AWS's own shape, numbered from 1."""

from collections.abc import Mapping
from typing import Any

Event = dict[str, Any]

EVENT_LIMIT = 25_000
"""Events a history holds; the execution fails at the last of them, unless it is Express (Step Functions quotas)."""

REDRIVABLE_EVENTS = 24_999
"""Events from which on an execution cannot be redriven (API reference, RedriveExecution)."""

LIMIT_REACHED: Event = {
    "error": "States.Runtime",
    "cause": f"The execution reached the maximum number of history events ({EVENT_LIMIT}).",
}

# The event that ends an execution, the status it leaves, and where the event keeps the particulars.
ENDINGS: Mapping[str, tuple[str, str]] = {
    "ExecutionSucceeded": ("SUCCEEDED", "executionSucceededEventDetails"),
    "ExecutionFailed": ("FAILED", "executionFailedEventDetails"),
    "ExecutionAborted": ("ABORTED", "executionAbortedEventDetails"),
    "ExecutionTimedOut": ("TIMED_OUT", "executionTimedOutEventDetails"),
}

_DATA = frozenset({"input", "output", "parameters"})


def without_data(event: Event) -> Event:
    """The event as GetExecutionHistory shows it without execution data: no input, output or parameters."""
    return {
        name: {part: value for part, value in details.items() if part not in _DATA}
        if isinstance(details, dict)
        else details
        for name, details in event.items()
    }
