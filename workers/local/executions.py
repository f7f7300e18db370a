"""Executions: what is known of each, and how long it is remembered."""

import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from workers.local.history import ENDINGS, EVENT_LIMIT, LIMIT_REACHED, Event
from workers.local.machines import Target

RUNNING = "RUNNING"


class Execution:
    """One run of a state machine. `input` and `output` are JSON text, times are seconds since 1970.

    The interpreter writes its history from threads of its own; the event that ends it also sets its status, and
    nothing is written after that.
    """

    def __init__(self, number: int, arn: str, name: str, target: Target, execution_input: str) -> None:
        self.number = number
        self.arn = arn
        self.name = name
        self.machine_arn = target.machine.arn
        self.machine_name = target.machine.name
        self.revision = target.revision
        self.version_arn = target.version_arn
        self.alias_arn = target.alias_arn
        self.input = execution_input
        self.trace_header: str | None = None
        self.express = target.machine.type == "EXPRESS"
        self.started = time.time()
        self.stopped: float | None = None
        self.status = RUNNING
        self.output: str | None = None
        self.error: str | None = None
        self.cause: str | None = None
        self.events: list[Event] = []
        self.on_end: Callable[[], None] | None = None
        """Called once, in the thread that records the last event; then let go, with all that it holds."""
        self._lock = threading.Lock()

    @property
    def running(self) -> bool:
        return self.status == RUNNING

    def record(self, kind: str, details: Mapping[str, Any] | None, *, previous: int) -> int:
        """Adds an event and returns its id; 0 when the execution has ended and the event is dropped."""
        with self._lock:
            if not self.running:
                return 0
            if len(self.events) == EVENT_LIMIT - 1 and kind not in ENDINGS:
                kind, details = "ExecutionFailed", LIMIT_REACHED
            now, number = time.time(), len(self.events) + 1
            event = {"timestamp": now, "type": kind, "id": number, "previousEventId": previous, **(details or {})}
            self.events.append(event)
            if kind not in ENDINGS:
                return number
            self._end(event, now)
            on_end, self.on_end = self.on_end, None
        if on_end:
            on_end()
        return number

    def _end(self, event: Event, now: float) -> None:
        status, home = ENDINGS[event["type"]]
        particulars = event.get(home, {})
        self.output, self.error, self.cause = (particulars.get(name) for name in ("output", "error", "cause"))
        self.stopped = now
        self.status = status


class Executions:
    """The executions of one region, in the order they were started. Of the finished ones `keep` are remembered."""

    def __init__(self, *, keep: int) -> None:
        self._keep = keep
        self._executions: dict[str, Execution] = {}
        self._finished: deque[Execution] = deque()
        self._started = 0

    def next_number(self) -> int:
        """A number for a new execution: executions are listed in the order of their numbers."""
        self._started += 1
        return self._started

    def add(self, execution: Execution) -> None:
        self._executions[execution.arn] = execution

    def get(self, arn: str) -> Execution | None:
        return self._executions.get(arn)

    def newest_first(self) -> Iterator[Execution]:
        return reversed(self._executions.values())

    def finish(self, execution: Execution) -> list[Execution]:
        """Counts an execution as finished. Returns those that are forgotten for it: the oldest beyond `keep`."""
        self._finished.append(execution)
        forgotten = [self._finished.popleft() for _ in range(len(self._finished) - self._keep)]
        for oldest in forgotten:
            del self._executions[oldest.arn]
        return forgotten
