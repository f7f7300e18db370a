"""What both kinds of Map have in common: their items, and what they make of each."""

from typing import Any

from workers.local.branch import Branch, Plan
from workers.local.flow import Flow
from workers.local.states.items import Item
from workers.local.states.trying import TryingState
from workers.local.values.errors import QUERY_EVALUATION_ERROR, RUNTIME, EvaluationError, StateError
from workers.local.values.jsonata import Expected, compile_jsonata
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

    def items(self, scope: Scope) -> Any:
        """The array of items in the state's input, in distributed mode perhaps an object. Raises `EvaluationError`."""
        return self._items(scope)

    def item(self, scope: Scope, index: int, item: Item) -> tuple[dict[str, Any], Any]:
        """`$$.Map` of an iteration, and its input."""
        about = item.about(index)
        if not self._selector:
            return about, item.input
        return about, self._selector(Scope(scope.data, {**scope.context, "Map": about}, scope.variables))

    def given_up(self, branch: Branch, error: StateError, *, own: bool) -> None:
        if not own or error.error == QUERY_EVALUATION_ERROR:
            branch.record("MapStateFailed")

    def _compiled_items(self, model: Map) -> Evaluate:
        kinds = (list, dict) if model.distributed else (list,)
        if self.jsonata and model.has("items"):
            also: Expected | None = "object" if model.distributed else None
            found = compile_jsonata(model.items, "Items", expected="array", also=also)
            must_be = "Items must be an array but was: {}"  # an object is told only here: it is no expression
            return lambda scope: _checked(found(scope), kinds, must_be, QUERY_EVALUATION_ERROR)
        if self.jsonata:
            no_array = "Map state input must be an array but was: {}"
            return lambda scope: _checked(scope.data, kinds, no_array, QUERY_EVALUATION_ERROR)
        path = model.items_path or "$"
        read: Evaluate = (lambda scope: scope.data) if path == "$" else compile_reference(path, "ItemsPath")
        return lambda scope: _checked(read(scope), kinds, f'Reference path "{path}" must point to array.', RUNTIME)

    def _compiled_selector(self, model: Map) -> Evaluate | None:
        selector = model.item_selector if model.item_selector is not None else model.parameters
        if selector is None:
            return None
        return compile_jsonata(selector, "ItemSelector") if self.jsonata else compile_template(selector)


def _checked(value: Any, kinds: tuple[type, ...], complaint: str, error: str) -> Any:
    if isinstance(value, kinds):
        return value
    raise EvaluationError(error, complaint.replace("{}", compact(value)))
