"""What Task, Parallel and Map have in common: they fail, and are tried again or leave by another way."""

from abc import abstractmethod

from workers.local.branch import Branch, State, Step
from workers.local.documents import Document
from workers.local.failures import Failures
from workers.local.flow import Flow
from workers.local.values.errors import RUNTIME, EvaluationError, StateError
from workers.machines.model.machine import Map, Parallel
from workers.machines.model.states import Task


class TryingState(State):
    """A state with Retry and Catch. Its frame says when it runs again, or how far its attempt is."""

    takes_time = True

    def __init__(self, name: str, model: Task | Parallel | Map, *, jsonata: bool, flow: Flow) -> None:
        super().__init__(name, model.type)
        self.flow = flow
        self.jsonata = jsonata
        self._failures = Failures(model, jsonata=jsonata)
        self._next = model.next

    @abstractmethod
    async def attempt(self, branch: Branch) -> Document:
        """One attempt, from where the frame says; gives the state's result. Raises `StateError`."""

    def given_up(self, branch: Branch, error: StateError, *, own: bool) -> None:
        """Called before the state is left by a failure; `own`: the engine could not evaluate one of its fields."""

    async def run(self, branch: Branch) -> Step:
        frame, state = branch.frame, branch.context["State"]
        while True:
            if frame.progress and "again" in frame.progress:
                await branch.run.clock.sleep_until(frame.progress["again"])
                await branch.paced()
                frame.progress = None
            state["RetryCount"] = sum(frame.counts)
            try:
                result = await self.attempt(branch)
                raw, given = branch.scope(), frame.input
                output = self.flow.output(raw, given, result)
                step = branch.leave(self, self._next, output, self.flow.variables(raw, result.value))
            except StateError as error:
                found = self._failed(branch, error)
                if found is None:
                    continue
                step = found
            branch.run.drop_children(frame)
            return step

    def _failed(self, branch: Branch, error: StateError) -> Step | None:
        """Where the failure leads; None: to another attempt."""
        frame, run = branch.frame, branch.run
        run.let_go(frame)
        if own := isinstance(error, EvaluationError):
            error = branch.explained(error)
        if (delay := self._failures.retry(error, frame.counts)) is not None:
            run.drop_children(frame)
            frame.progress = {"again": run.clock.now() + delay}
            branch.save()
            return None
        if error.error == RUNTIME:
            raise error
        self.given_up(branch, error, own=own)
        catcher = self._failures.catcher(error)
        if catcher is None:
            raise error
        output, variables = catcher.caught(branch.scope(), frame.input, error)
        return branch.leave(self, catcher.next, output, variables)
