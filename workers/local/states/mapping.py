"""What both kinds of Map have in common: their items, and what they make of each."""

from typing import Any

from workers.local.branch import Branch, Plan
from workers.local.flow import Flow
from workers.local.states.trying import TryingState
from workers.local.values.errors import QUERY_EVALUATION_ERROR, RUNTIME, EvaluationError, StateError
from workers.local.values.jsonata import compile_jsonata
from workers.local.values.numbers import compile_number
from workers.local.values.scope import Evaluate, Scope, compact
from workers.local.values.templates import compile_reference, compile_template
from workers.machines.model.machine import Map


class MapState(TryingState):
    """A Map state of either kind."""

    def __init__(self, name: str, model: Map, plan: Plan, *, jsonata: bool) -> None:
        super().__init__(name, model, jsonata=jsonata, flow=Flow(model, jsonata=jsonata, arguments="NoParameters"))
        self.plan = plan
        self._items = self._compiled_items(model)
        self._selector = self._compiled_selector(model)
        self.max_concurrency = compile_number(model, "max_concurrency", "MaxConcurrency", jsonata=jsonata)
        self.tolerated_count = compile_number(
            model, "tolerated_failure_count", "ToleratedFailureCount", jsonata=jsonata
        )
        self.tolerated_percentage = compile_number(
            model, "tolerated_failure_percentage", "ToleratedFailurePercentage", jsonata=jsonata
        )

    def items(self, scope: Scope) -> list[Any]:
        """The items in the state's input. Raises `EvaluationError` where they are no list."""
        items: list[Any] = self._items(scope)
        return items

    def item(self, scope: Scope, index: int, value: Any, source: str | None = None) -> tuple[dict[str, Any], Any]:
        """`$$.Map` of an iteration, and its input. `source`: where the item comes from, told in distributed mode."""
        about = {"Item": {"Index": index, "Value": value} | ({"Source": source} if source else {})}
        if not self._selector:
            return about, value
        return about, self._selector(Scope(scope.data, {**scope.context, "Map": about}, scope.variables))

    def given_up(self, branch: Branch, error: StateError, *, own: bool) -> None:
        if not own or error.error == QUERY_EVALUATION_ERROR:
            branch.record("MapStateFailed")

    def _compiled_items(self, model: Map) -> Evaluate:
        if self.jsonata:
            if model.has("items"):
                return compile_jsonata(model.items, "Items", expected="array")
            no_list = "Map state input must be an array but was: {}"
            return lambda scope: _list(scope.data, no_list, QUERY_EVALUATION_ERROR)
        path = model.items_path or "$"
        read: Evaluate = (lambda scope: scope.data) if path == "$" else compile_reference(path, "ItemsPath")
        return lambda scope: _list(read(scope), f'Reference path "{path}" must point to array.', RUNTIME)

    def _compiled_selector(self, model: Map) -> Evaluate | None:
        selector = model.item_selector if model.item_selector is not None else model.parameters
        if selector is None:
            return None
        return compile_jsonata(selector, "ItemSelector") if self.jsonata else compile_template(selector)


def _list(value: Any, complaint: str, error: str) -> list[Any]:
    if isinstance(value, list):
        return value
    raise EvaluationError(error, complaint.replace("{}", compact(value)))
