"""The ids of a task in every log line that is written while it runs."""

from typing import Any

from structlog.contextvars import bind_contextvars

from workers.task import Task


def bind_ids(label: str, task: Task) -> None:
    """Binds activity, label, and where known execution, state and attempt, to the context of the caller.

    Call it in the event loop's task that runs `task`: nothing needs to be undone, because its context ends with
    it, and the threads and processes of its handler get a copy.
    """
    ids: dict[str, Any] = {"activity": task.activity, "task": label}
    if task.context:
        known = {"execution": task.execution, "state": task.state, "attempt": task.attempt}
        ids |= {name: value for name, value in known.items() if value is not None}
    bind_contextvars(**ids)
