"""Succeed: ends the line of states with its input."""

from workers.local.branch import Branch, State, Step
from workers.local.documents import same_or_new
from workers.local.flow import Flow
from workers.machines.model.states import Succeed


class SucceedState(State):
    """A Succeed state."""

    def __init__(self, name: str, model: Succeed, *, jsonata: bool) -> None:
        super().__init__(name, "Succeed")
        self._flow = Flow(model, jsonata=jsonata)

    async def run(self, branch: Branch) -> Step:
        raw, given = branch.scope(), branch.frame.input
        chosen = same_or_new(self._flow.scope(raw).data, given)
        return branch.leave(self, None, self._flow.output(raw, given, chosen))
