"""Parallel: runs several branches side by side, each on the same input."""

from workers.local.branch import Branch, Plan
from workers.local.documents import Document, array, same_or_new
from workers.local.flow import Flow
from workers.local.frames import Frame
from workers.local.run import Run
from workers.local.states.crew import Crew, abort_lines, abort_state
from workers.local.states.trying import TryingState
from workers.local.values.errors import StateError
from workers.machines.model.machine import Parallel


class ParallelState(TryingState):
    """A Parallel state. Its frame has one child for each branch, and their input."""

    def __init__(self, name: str, model: Parallel, plans: tuple[Plan, ...], *, jsonata: bool) -> None:
        super().__init__(name, model, jsonata=jsonata, flow=Flow(model, jsonata=jsonata))
        self._plans = plans

    async def attempt(self, branch: Branch) -> Document:
        frame = branch.frame
        if frame.progress is None:
            scope = self.flow.scope(branch.scope())
            value = self.flow.arguments(scope) if self.flow.arguments else scope.data
            given = same_or_new(value, frame.input).checked(self.name)
            branch.record("ParallelStateStarted")
            for index, plan in enumerate(self._plans):
                child = branch.run.new_frame(frame, index, plan.start, given, frame.last)
                child.item = frame.item
            frame.progress = {}
            branch.save()
        outputs = await Crew(branch, self, len(self._plans), len(self._plans)).outputs()
        result = array(outputs).checked(self.name)
        branch.note("ParallelStateSucceeded")
        return result

    def given_up(self, branch: Branch, error: StateError, *, own: bool) -> None:
        del error
        if not own or self.jsonata:
            branch.record("ParallelStateFailed")

    def begin(self, branch: Branch, index: int, after: int) -> Branch:
        del after
        return self.resume(branch, index)

    def prepare(self, branch: Branch, child: Branch) -> None:
        """A branch was made with its input."""

    def resume(self, branch: Branch, index: int) -> Branch:
        return Branch(branch.run, branch.frame.children[index], self._plans[index], branch.variables)

    def succeeded(self, branch: Branch, child: Branch) -> int:
        del branch
        return child.frame.last

    def failed(self, child: Branch) -> None:
        """A branch has no events of its own."""

    def abort_line(self, run: Run, frame: Frame) -> None:
        """A branch has no events of its own, but the state that it is in may have."""
        abort_state(self._plans[frame.index], run, frame)

    def abort(self, run: Run, frame: Frame) -> None:
        abort_lines(run, frame, self.abort_line)
        super().abort(run, frame)
