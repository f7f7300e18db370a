"""Executions: what is known of each, and how long it is remembered."""

import json
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from workers.local.clock import Clock
from workers.local.history import ENDINGS, EVENT_LIMIT, LIMIT_REACHED, REDRIVABLE_EVENTS, Event
from workers.local.machines import Revision

RUNNING = "RUNNING"
SUCCEEDED = "SUCCEEDED"

TOKENS = 10
TOKEN_SECONDS = 900.0
"""Client tokens of redrives that are remembered, and for how long (API reference, RedriveExecution)."""


@dataclass(frozen=True, slots=True)
class Origin:
    """What an execution was started from."""

    machine_arn: str
    machine_name: str
    revision: Revision
    version_arn: str | None = None
    alias_arn: str | None = None
    test_case: str | None = None
    """Of the mock configuration."""


class Execution:
    """One run of a state machine. `input` and `output` are JSON text, times are seconds since 1970.

    The event that ends it also sets its status, and nothing is written after that.
    """

    def __init__(self, number: int, arn: str, name: str, origin: "Origin", execution_input: str, clock: Clock) -> None:
        self.number = number
        self.arn = arn
        self.name = name
        self.origin = origin
        self.map_run: str | None = None
        """ARN of the map run that it is a child of."""
        self.batch: int | None = None
        """The number of its batch, in a child of a map run."""
        self.items: int | None = None
        """Items of its batch, in a child of a map run."""
        self.children: list[Execution] = []
        """The executions that its Maps started."""
        self.map_runs: list[str] = []
        """ARNs of the map runs of its Maps."""
        self.input = execution_input
        self.trace_header: str | None = None
        self.express = False
        self.started = clock.now()
        self.stopped: float | None = None
        self.status = RUNNING
        self.output: str | None = None
        self.error: str | None = None
        self.cause: str | None = None
        self.redrives = 0
        self.redriven: float | None = None
        """When it was redriven last."""
        self.redrive_tokens: dict[str, float] = {}
        """The client tokens of its last redrives, and when each was."""
        self.events: list[Event] = []
        self.on_end: Callable[[], None] | None = None
        """Called once, after the last event; then let go, with all that it holds."""
        self._clock = clock

    @property
    def machine_arn(self) -> str:
        return self.origin.machine_arn

    @property
    def machine_name(self) -> str:
        return self.origin.machine_name

    @property
    def revision(self) -> Revision:
        return self.origin.revision

    @property
    def running(self) -> bool:
        return self.status == RUNNING

    @property
    def full(self) -> bool:
        """Whether its history has no room for a redrive."""
        return not self.express and len(self.events) >= REDRIVABLE_EVENTS

    def output_value(self) -> Any:
        """Its output as a value."""
        return None if self.output is None else json.loads(self.output)

    def record(
        self, kind: str, home: str | None = None, details: Mapping[str, Any] | None = None, *, after: int
    ) -> int:
        """Adds an event, which follows the event `after`, and returns its id.

        `home`: the member in which the event has its `details`. 0 when the execution has ended: the event is dropped.
        """
        if self.status != RUNNING:
            return 0
        number = len(self.events) + 1
        if number == EVENT_LIMIT and kind not in ENDINGS and not self.express:
            kind, home, details = "ExecutionFailed", "executionFailedEventDetails", LIMIT_REACHED
        event: Event = {"timestamp": self._clock.now(), "type": kind, "id": number, "previousEventId": after}
        if home is not None:
            event[home] = details
        self.events.append(event)
        if kind in ENDINGS:
            self._end(event)
        return number

    def _end(self, event: Event) -> None:
        self.status, home = ENDINGS[event["type"]]
        particulars = event.get(home, {}) if self.status != "TIMED_OUT" else {}  # only its history tells of an error
        self.output, self.error, self.cause = (particulars.get(name) for name in ("output", "error", "cause"))
        self.stopped = event["timestamp"]
        on_end, self.on_end = self.on_end, None
        if on_end:
            on_end()

    def reopen(self) -> None:
        """Runs again: it is redriven."""
        self.status, self.stopped = RUNNING, None
        self.output = self.error = self.cause = None
        self.redrives += 1
        self.redriven = self._clock.now()

    def redriven_by(self, token: str) -> float | None:
        """When it was redriven with that client token, if that was not too long ago."""
        when = self.redrive_tokens.get(token)
        return None if when is None or self._clock.now() - when > TOKEN_SECONDS else when

    def note_redrive(self, token: str) -> None:
        """Notes the client token of the last redrive."""
        known = {**self.redrive_tokens, token: self.redriven or self._clock.now()}
        self.redrive_tokens = dict(list(known.items())[-TOKENS:])


class Executions:
    """The executions of one region, in the order they were started. Of the finished ones `keep` are remembered."""

    def __init__(self, *, keep: int) -> None:
        self._keep = keep
        self._executions: dict[str, Execution] = {}
        self._numbers: set[int] = set()
        self._finished: deque[Execution] = deque()
        self._started = 0

    def next_number(self) -> int:
        """A number for a new execution: executions are listed in the order of their numbers."""
        self._started += 1
        return self._started

    def knows(self, number: int) -> bool:
        """Whether the execution with that number is remembered."""
        return number in self._numbers

    def add(self, execution: Execution) -> None:
        self._executions[execution.arn] = execution
        self._numbers.add(execution.number)
        self._started = max(self._started, execution.number)

    def get(self, arn: str) -> Execution | None:
        return self._executions.get(arn)

    def latest(self) -> float:
        """When the last event was, of any of them; 0 where there is none."""
        return max(
            (execution.events[-1]["timestamp"] for execution in self._executions.values() if execution.events),
            default=0.0,
        )

    def newest_first(self) -> Iterator[Execution]:
        return reversed(self._executions.values())

    def finish(self, execution: Execution) -> list[Execution]:
        """Counts an execution as finished. Returns those that are forgotten for it: the oldest beyond `keep`."""
        if execution.map_run is None:  # a child is remembered as long as the execution that it belongs to
            self._finished.append(execution)
        forgotten = []
        while len(self._finished) > self._keep:
            forgotten += self._forget(self._finished.popleft())
        return forgotten

    def reopen(self, execution: Execution) -> None:
        """Counts an execution as finished no more: it is redriven, and will come again."""
        if execution.map_run is None:
            self._finished.remove(execution)

    def _forget(self, execution: Execution) -> list[Execution]:
        forgotten = [execution]
        for child in execution.children:
            forgotten += self._forget(child)
        self._executions.pop(execution.arn, None)
        self._numbers.discard(execution.number)
        return forgotten
