"""Pass: gives its input on, or a result of its own."""

from workers.local.branch import Branch, State, Step
from workers.local.documents import same_or_new
from workers.local.flow import Flow
from workers.machines.model.states import Pass


class PassState(State):
    """A Pass state."""

    def __init__(self, name: str, model: Pass, *, jsonata: bool) -> None:
        super().__init__(name, "Pass")
        self._flow = Flow(model, jsonata=jsonata)
        self._next = model.next
        self._has_result = model.has("result")
        self._result = model.result

    async def run(self, branch: Branch) -> Step:
        flow, raw = self._flow, branch.scope()
        scope = flow.scope(raw)
        value = flow.arguments(scope) if flow.arguments else scope.data
        if self._has_result:
            value = self._result
        given = branch.frame.input
        result = same_or_new(value, given)
        return branch.leave(self, self._next, flow.output(raw, given, result), flow.variables(raw, result.value))
