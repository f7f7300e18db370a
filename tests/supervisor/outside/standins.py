"""Stand-ins for what the rest of a worker tells the parts that show it to the outside."""

import asyncio
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from structlog.testing import CapturingLogger

from workers.supervisor.outside.status import Elsewhere, Status
from workers.task import CancelReason, Task


@dataclass
class Name:
    name: str


@dataclass
class Run:
    """A running task that nothing runs."""

    activity: Name = field(default_factory=lambda: Name("add"))
    label: str = "0123456789"
    started: float = field(default_factory=time.monotonic)
    task: Task | None = None
    last_beat: float | None = None
    cancel_reason: CancelReason | None = None
    worked_on: asyncio.Task[Any] | None = None
    thread_id: int | None = None
    process: Elsewhere | None = None


class Standing:
    """A status that a test changes."""

    def __init__(self, **values: Any) -> None:
        self.values = {"worker": "host-1", "phase": "running", **values}

    def __call__(self) -> Status:
        return Status(**self.values)


class Log(CapturingLogger):
    """Keeps events, and lets any thread wait for one."""

    def __init__(self) -> None:
        super().__init__()
        self._news = threading.Condition()
        self.events: list[tuple[str, dict[str, Any]]] = []

    def __getattr__(self, name: str) -> Callable[..., None]:
        def write(event: str, **values: Any) -> None:
            with self._news:
                self.events.append((event, {"level": name, **values}))
                self._news.notify_all()

        return write

    def named(self, event: str) -> list[dict[str, Any]]:
        return [values for name, values in self.events if name == event]

    def wait_for(self, event: str, *, times: int = 1) -> dict[str, Any]:
        """The last event of that name, once there are so many. Blocks the thread that calls it."""
        with self._news:
            assert self._news.wait_for(lambda: len(self.named(event)) >= times, timeout=10), f"no {event!r}"
            return self.named(event)[-1]
