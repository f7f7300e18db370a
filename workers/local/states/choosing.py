"""Choice: goes where the first rule says whose condition holds."""

from typing import NoReturn

from workers.local.branch import Branch, State, Step
from workers.local.documents import same_or_new
from workers.local.flow import Flow, compile_assign
from workers.local.values.conditions import Holds, compile_condition
from workers.local.values.errors import RUNTIME, EvaluationError
from workers.local.values.jsonata import compile_jsonata
from workers.local.values.scope import Evaluate
from workers.machines.model.conditions import ChoiceRule
from workers.machines.model.states import Choice

NO_TRANSITION = "Failed to transition out of the state. The state does not point to a next state."


class ChoiceState(State):
    """A Choice state."""

    def __init__(self, name: str, model: Choice, *, jsonata: bool) -> None:
        super().__init__(name, "Choice")
        self._flow = Flow(model, jsonata=jsonata)
        self._rules = tuple(
            _Rule(rule, f"Choices[{index}]", jsonata=jsonata) for index, rule in enumerate(model.choices)
        )
        self._default = model.default

    async def run(self, branch: Branch) -> Step:
        flow, raw, given = self._flow, branch.scope(), branch.frame.input
        scope = flow.scope(raw)
        rule = next((rule for rule in self._rules if rule.holds(scope)), None)
        if rule is None and self._default is None:
            self._fail()
        following = rule.next if rule else self._default
        chosen = same_or_new(scope.data, given)
        if rule and flow.jsonata:  # the state's own Output and Assign are for its Default alone (ASL, Choice state)
            output = same_or_new(rule.output(raw), given) if rule.output else given
        else:
            output = flow.output(raw, given, chosen)
        assign = rule.assign if rule else flow.assign
        return branch.leave(self, following, output, assign(scope) if assign else None)

    def _fail(self) -> NoReturn:
        """AWS says States.Runtime, which nothing catches, where its guide promises States.NoChoiceMatched."""
        raise EvaluationError(RUNTIME, NO_TRANSITION)


class _Rule:
    __slots__ = ("assign", "holds", "next", "output")

    def __init__(self, model: ChoiceRule, where: str, *, jsonata: bool) -> None:
        self.holds: Holds = compile_condition(model.condition, f"{where}/Condition")
        self.next = model.next
        self.assign: Evaluate | None = compile_assign(model.assign, jsonata=jsonata, where=f"{where}/")
        self.output = compile_jsonata(model.output, f"{where}/Output") if jsonata and model.has("output") else None
