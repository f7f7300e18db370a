"""A run: an execution on its way, with its frames, its tasks in flight and its timers."""

import asyncio
from collections.abc import Callable, Coroutine, Iterator, Mapping
from typing import Any, Protocol

import structlog

from workers.arns import Place
from workers.local.calls import Services
from workers.local.clock import Clock, Timer
from workers.local.documents import Document, parsed
from workers.local.executions import Execution
from workers.local.frames import Frame
from workers.local.map_runs import MapRun
from workers.local.tasks import Attempt, Tokens
from workers.local.values.timestamps import write_timestamp

log = structlog.get_logger(__name__)

Pace = Callable[[], float]
"""Counts a state transition, and gives the seconds that it has to wait."""

NOT_TRUNCATED = {"truncated": False}


class Host(Protocol):
    """What a run asks of the engine."""

    place: Place
    clock: Clock
    tokens: Tokens
    pace: Pace | None
    """Of the state transitions of Standard executions; None where they are as fast as can be."""

    @property
    def services(self) -> Services: ...

    def knows_activity(self, arn: str) -> bool: ...

    def queue_task(self, activity_arn: str, task: Attempt) -> None: ...

    def discard_task(self, activity_arn: str, task: Attempt) -> None: ...

    def changed(self, run: "Run") -> None:
        """Something of the run is to be stored."""

    def ended(self, run: "Run") -> None: ...

    def add_map_run(self, map_run: MapRun) -> None: ...

    def map_run(self, arn: str) -> MapRun: ...

    def run_child(
        self, map_run: MapRun, number: int, child_input: str, known: Execution | None, *, express: bool
    ) -> "Run":
        """Starts the execution of a batch of a Map, lets it go on, or redrives it."""

    def stop(self, execution: Execution) -> None:
        """Aborts an execution that runs."""


class Run:
    """One execution on its way, on the event loop."""

    def __init__(self, execution: Execution, host: Host) -> None:
        self.execution = execution
        self.host = host
        self.clock = host.clock
        self.pace = None if execution.express else host.pace
        self.input: Document = parsed(execution.input)
        self.root: Frame | None = None
        self.unsaved: dict[int, Frame] = {}
        self.dropped: set[int] = set()
        """Frames that are to be stored, and the numbers of those to be forgotten."""
        self.stored_events = 0
        self.stored_state: object = None
        """How many events, and what of the execution itself, are stored already."""
        self.map_runs: list[MapRun] = []
        self.frames = 0
        """Frames that there were; the number of the last."""
        self.assigned_bytes = 0
        """At least the bytes of all variables."""
        self._attempts: dict[int, Attempt] = {}
        self._tasks: dict[int, asyncio.Task[None]] = {}
        self._timer: Timer | None = None
        self.halted = False
        self.open()

    def open(self) -> None:
        """Makes it ready to run, be it for the first time or again."""
        self.ended = asyncio.get_running_loop().create_future()
        self.execution.on_end = self._end
        execution, role = self.execution, self.execution.revision.role
        about = {
            "Id": execution.arn,
            "Input": self.input.value,
            "StartTime": write_timestamp(execution.started),
            "Name": execution.name,
            "RoleArn": role,
            "RedriveCount": execution.redrives,
        }
        if execution.redriven is not None:
            about["RedriveTime"] = write_timestamp(execution.redriven)
        self.context = {
            "Execution": about,
            "StateMachine": {"Id": execution.machine_arn, "Name": execution.machine_name},
        }

    def limit(self, seconds: float | None) -> None:
        """Ends the execution `seconds` after its start, or after its last redrive."""
        if seconds is not None:
            began = self.execution.redriven or self.execution.started
            self._timer = self.clock.call_at(began + seconds, self._time_out)

    def record(
        self, kind: str, home: str | None = None, details: Mapping[str, Any] | None = None, *, after: int
    ) -> int:
        """Adds an event to the history and returns its id."""
        number = self.execution.record(kind, home, details, after=after)
        self.host.changed(self)
        self.clock.touch()
        return number

    def stop(self, error: str | None = None, cause: str | None = None) -> None:
        """Aborts the execution, if it still runs."""
        details = {name: value for name, value in (("error", error), ("cause", cause)) if value is not None}
        self.record("ExecutionAborted", "executionAbortedEventDetails", details, after=0)

    def fail(self, error: str | None, cause: str | None, *, after: int) -> None:
        """Ends the execution with an error."""
        details = {name: value for name, value in (("error", error), ("cause", cause)) if value is not None}
        self.record("ExecutionFailed", "executionFailedEventDetails", details, after=after)

    def new_frame(self, parent: Frame | None, index: int, state: str, data: Document, last: int) -> Frame:
        """A frame for a new line of states, which starts with `state`."""
        self.frames += 1
        frame = Frame(self.frames, parent.number if parent else None, index, state, data, last)
        if parent is None:
            self.root = frame
        else:
            parent.children[index] = frame
        self.save(frame)
        return frame

    def adopt(self, frames: list[Frame]) -> None:
        """Takes over frames that were stored, in the order of their numbers: what is around others comes first."""
        known: dict[int, Frame] = {}
        for frame in frames:
            known[frame.number] = frame
            if frame.parent is None:
                self.root = frame
            elif parent := known.get(frame.parent):
                parent.children[frame.index] = frame
        self.frames = max(known, default=0)
        self.assigned_bytes = sum(len(frame.dump()) for frame in frames if frame.own)
        self.stored_events = len(self.execution.events)
        self.stored_state = (self.execution.status, self.execution.redrives)

    def save(self, frame: Frame) -> None:
        """Stores a frame as it will be when the line of states waits next."""
        self.unsaved[frame.number] = frame
        self.host.changed(self)

    def drop_children(self, frame: Frame) -> None:
        """Forgets the frames within a frame: their state is over."""
        for child in frame.children.values():
            self.drop_children(child)
            self.unsaved.pop(child.number, None)
            self.dropped.add(child.number)
        frame.children = {}

    def all_frames(self) -> Iterator[Frame]:
        """Every frame, each before those within it."""
        waiting = [self.root] if self.root else []
        while waiting:
            frame = waiting.pop()
            yield frame
            waiting.extend(frame.children.values())

    def attempt(self, frame: Frame, attempt: Attempt) -> None:
        """Notes the task in flight of a frame and makes its token known."""
        self._attempts[frame.number] = attempt
        self.host.tokens.add(attempt)

    def let_go(self, frame: Frame) -> None:
        """Closes the task in flight of a frame, if there is one."""
        if attempt := self._attempts.pop(frame.number, None):
            attempt.close()
            self.host.tokens.discard(attempt.token)

    def spawn(self, frame: Frame, line: Coroutine[Any, Any, None]) -> None:
        """Lets a line of states go on beside the others."""
        task = asyncio.get_running_loop().create_task(line, name=f"{self.execution.name} {frame.number}")
        self._tasks[frame.number] = task
        task.add_done_callback(lambda done: self._finish(frame.number, done))

    def cancel(self, frame: Frame) -> None:
        """Ends a line of states, with its task and all within it, without a word."""
        for child in frame.children.values():
            if child.outcome is None:
                self.cancel(child)
        self.let_go(frame)
        if task := self._tasks.pop(frame.number, None):
            task.cancel()

    def halt(self) -> None:
        """Stops working on the execution, which goes on when the engine is started again."""
        self.halted = True
        self._let_all_go()

    def _let_all_go(self) -> None:
        if self._timer:
            self._timer.cancel()
        for attempt in self._attempts.values():
            attempt.close()
            self.host.tokens.discard(attempt.token)
        self._attempts.clear()
        for task in self._tasks.values():
            task.cancel()
        self._tasks.clear()

    def _finish(self, number: int, done: "asyncio.Task[None]") -> None:
        if self._tasks.get(number) is done:
            del self._tasks[number]
        if not done.cancelled() and (error := done.exception()):  # the execution must not seem to run for ever
            log.error("The interpreter failed", execution=self.execution.arn, exc_info=error)
            self.fail("States.Runtime", f"The interpreter failed: {error!r}", after=0)

    def _time_out(self) -> None:
        self.record("ExecutionTimedOut", "executionTimedOutEventDetails", {"error": "States.Timeout"}, after=0)

    def _end(self) -> None:
        """Called once, with the last event."""
        self._let_all_go()
        if self.execution.status == "SUCCEEDED":
            self.dropped.update(frame.number for frame in self.all_frames())
            self.unsaved.clear()
            self.root = None
        self.host.ended(self)
        if not self.ended.done():
            self.ended.set_result(None)


def data(name: str, document: Document) -> dict[str, Any]:
    """How an event tells of a document: `input` and `inputDetails`, or `output` and `outputDetails`."""
    return {name: document.text, f"{name}Details": NOT_TRUNCATED}
