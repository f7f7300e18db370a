"""Tasks for tests of interceptors, with a worker's side that only takes notes."""

from contextlib import AbstractContextManager, nullcontext
from typing import Any

from workers.envelope import TaskContext
from workers.task import CancelReason, Draining, Task

EXECUTION = "arn:aws:states:us-east-1:123456789012:execution:orders:1"


class Run:
    def __init__(self) -> None:
        self.cancel_reason: CancelReason | None = None
        self.draining = Draining()
        self.beats = 0
        self.retries = 0

    def beat(self) -> None:
        self.beats += 1

    def beating(self, interval: float | None) -> AbstractContextManager[None]:
        return nullcontext()

    def retrying(self) -> None:
        self.retries += 1


def make(value: Any = None, *, run: Run | None = None, streams: Any = (), **context: Any) -> Task:
    """A task; with a context where any of its fields are given."""
    return Task(
        activity="charge",
        token="secret-token",
        input=value,
        context=TaskContext(**context) if context else None,
        run=run or Run(),
        streams=frozenset(streams),
    )


def known(value: Any = None, *, retry: int = 0, redrive: int = 0, **more: Any) -> Task:
    """A task whose execution and state are known."""
    return make(value, execution=EXECUTION, state="Charge", retry=retry, redrive=redrive, **more)
