"""A line of states on its way: of an execution, a branch of a Parallel, or an iteration of a Map."""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, NamedTuple

from workers.local.documents import Document
from workers.local.frames import Frame
from workers.local.run import Run, data
from workers.local.values.errors import QUERY_EVALUATION_ERROR, EvaluationError, StateError
from workers.local.values.scope import Scope
from workers.local.values.timestamps import write_timestamp
from workers.local.variables import assign

TURN = 64
"""States after which other executions get their turn."""


class Step(NamedTuple):
    """What a state leads to: the next one, or the end of the line."""

    next: str | None
    output: Document


class State(ABC):
    """A state of a program: compiled, shared by all executions."""

    takes_time = False
    """Whether a line of states may have to wait in it."""

    def __init__(self, name: str, kind: str) -> None:
        self.name = name
        self.kind = kind
        """Its type."""

    @abstractmethod
    async def run(self, branch: "Branch") -> Step:
        """Runs the state, which was entered, from where the branch's frame says. Raises `StateError`."""

    def abort(self, run: Run, frame: Frame) -> None:
        """Writes that the state, in which `frame` stands, was ended from outside. No event follows that one."""
        if self.takes_time:
            run.record(f"{self.kind}StateAborted", after=frame.last)


class Plan(NamedTuple):
    """States and where to start among them."""

    start: str
    states: Mapping[str, State]


class Branch:
    """A line of states, working. All that must outlive the engine is in its frame."""

    __slots__ = ("context", "frame", "plan", "run", "variables")

    def __init__(self, run: Run, frame: Frame, plan: Plan, outer: Mapping[str, Any]) -> None:
        self.run = run
        self.frame = frame
        self.plan = plan
        self.variables: Mapping[str, Any] = {**outer, **frame.own}
        self.context: dict[str, Any] = {}

    async def walk(self) -> Document:
        """Goes from state to state to the end, and gives the output. Raises `StateError`."""
        frame, states, turns = self.frame, self.plan.states, 0
        while True:
            state = states[frame.state]
            if self.run.pace and not frame.entered:
                await self.paced()
            self._enter(state)
            try:
                step = await state.run(self)
            except EvaluationError as error:
                raise self.explained(error) from None
            if step.next is None:
                return step.output
            frame.move(step.next, step.output)
            self.run.save(frame)
            turns += 1
            if turns % TURN == 0:
                await asyncio.sleep(0)

    async def paced(self) -> None:
        """Waits as long as a state transition has to, where they come too fast."""
        if (pace := self.run.pace) and (seconds := pace()):
            await self.run.clock.sleep_until(self.run.clock.now() + seconds)

    def _enter(self, state: State) -> None:
        frame = self.frame
        if not frame.entered:
            frame.before = frame.last
            frame.entered_at = self.run.clock.now()
            details = {"name": state.name, **data("input", frame.input)}
            frame.entered = self.record(f"{state.kind}StateEntered", "stateEnteredEventDetails", details)
        about = {"Name": state.name, "EnteredTime": write_timestamp(frame.entered_at)}
        self.context = {**self.run.context, "State": about}
        if frame.item is not None:
            self.context["Map"] = frame.item

    def scope(self) -> Scope:
        """What the state's fields see."""
        return Scope(self.frame.input.value, self.context, self.variables)

    def record(self, kind: str, home: str | None = None, details: Mapping[str, Any] | None = None) -> int:
        """Adds an event that follows this line's last one, and is followed by its next one."""
        frame = self.frame
        number = self.run.record(kind, home, details, after=frame.last)
        if number:
            frame.last = number
        return number

    def note(self, kind: str, home: str | None = None, details: Mapping[str, Any] | None = None) -> int:
        """Adds an event that this line's next one does not follow."""
        return self.run.record(kind, home, details, after=self.frame.last)

    def save(self) -> None:
        """Stores where the line stands."""
        self.run.save(self.frame)

    def leave(
        self, state: State, following: str | None, output: Document, variables: Mapping[str, Any] | None = None
    ) -> Step:
        """Leaves a state with its output and the variables that it sets."""
        output.checked(state.name)
        details = {"name": state.name, **data("output", output)}
        if variables:
            details |= assign(state.name, self.run, self.frame, variables)
            self.variables = {**self.variables, **variables}
        self.record(f"{state.kind}StateExited", "stateExitedEventDetails", details)
        return Step(following, output)

    def explained(self, error: EvaluationError, *, of: Frame | None = None) -> StateError:
        """The error as the history shows it; for one of JSONata the history gets an event of its own.

        `of`: the frame of the state that it happened in, where that is the one around this line.
        """
        frame, state = self.frame, of or self.frame
        located = error.located(state.state, state.entered)
        if error.error == QUERY_EVALUATION_ERROR:
            details = {"error": error.error, "cause": located.cause, "state": state.state}
            if error.location:
                details["location"] = error.location
            after = frame.before if frame.last == frame.entered else frame.last
            frame.last = self.run.record("EvaluationFailed", "evaluationFailedEventDetails", details, after=after)
        return StateError(error.error, located.cause)
