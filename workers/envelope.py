"""The envelope around an activity's input: the context that GetActivityTask itself does not give.

State machines in this project's notation wrap the input of an activity as

    {"_context": {"execution": …, "state": …, …}, "input": …}

with values from the context object `$$`. `unwrap` takes it off again in the worker.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

CONTEXT_KEY = "_context"
INPUT_KEY = "input"


@dataclass(frozen=True, slots=True)
class TaskContext:
    """Where a task comes from. A field that the definition did not send is None."""

    execution: str | None = None
    """ARN of the execution."""
    execution_name: str | None = None
    state_machine: str | None = None
    """Name of the state machine."""
    state: str | None = None
    """Name of the state."""
    entered: datetime | None = None
    """When the state was entered."""
    retry: int | None = None
    """How often Step Functions has retried the state before this task."""
    redrive: int | None = None
    """How often the execution has been redriven."""
    traceparent: str | None = None
    """The trace that the execution belongs to (W3C Trace Context)."""


def unwrap(document: Any) -> tuple[TaskContext | None, Any]:
    """The context and the input in `document`; no context and `document` itself where there is no envelope."""
    if not (isinstance(document, dict) and len(document) == 2 and CONTEXT_KEY in document and INPUT_KEY in document):
        return None, document
    context = document[CONTEXT_KEY]
    if not isinstance(context, dict):
        return None, document
    return _context(context), document[INPUT_KEY]


def _context(found: dict[str, Any]) -> TaskContext:
    def text(key: str) -> str | None:
        return value if isinstance(value := found.get(key), str) else None

    def number(key: str) -> int | None:
        return value if type(value := found.get(key)) is int else None  # true is no number

    return TaskContext(
        execution=text("execution"),
        execution_name=text("execution_name"),
        state_machine=text("state_machine"),
        state=text("state"),
        entered=_time(text("entered")),
        retry=number("retry"),
        redrive=number("redrive"),
        traceparent=text("traceparent"),
    )


def _time(value: str | None) -> datetime | None:
    try:
        time = datetime.fromisoformat(value) if value else None
    except ValueError:
        return None
    return time.replace(tzinfo=UTC) if time and time.tzinfo is None else time
