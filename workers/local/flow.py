"""The data flow of a state: from its input to what it works on, and from its result to its output and variables."""

from collections.abc import Callable
from typing import Any

from workers.local.documents import Document, same_or_new
from workers.local.values.jsonata import compile_jsonata
from workers.local.values.paths import compile_selection
from workers.local.values.result_paths import Place, compile_result_path
from workers.local.values.scope import Evaluate, Scope
from workers.local.values.templates import compile_template
from workers.machines.model.base import State as StateModel
from workers.machines.model.failures import Failing

Assigned = dict[str, Any]


class Flow:
    """The data flow of one state, compiled.

    `arguments(scope)` gives what the state works on; in JSONPath the scope's data is what InputPath chose.
    `assign(scope)` gives the variables that the state sets, evaluated on its result.
    """

    __slots__ = (
        "_output",
        "_output_path",
        "_place",
        "_results",
        "_selector",
        "arguments",
        "assign",
        "effective",
        "jsonata",
    )

    def __init__(self, model: StateModel, *, jsonata: bool, arguments: str = "Parameters") -> None:
        given: Callable[[str], Any] = lambda name: getattr(model, name, None)  # noqa: E731 - states have different fields
        self.jsonata = jsonata
        self._results = isinstance(model, Failing)
        """Whether there is a `$states.result`: only what fails has results of its own."""
        self.effective: Evaluate | None = None
        """InputPath, unless it chooses everything."""
        self._selector: Evaluate | None = None
        self._place: Place | None = None
        self._output_path: Evaluate | None = None
        self._output: Evaluate | None = None
        self.arguments: Evaluate | None = None
        if jsonata:
            if model.has("arguments"):
                self.arguments = compile_jsonata(given("arguments"), "Arguments")
            if model.has("output"):
                self._output = compile_jsonata(given("output"), "Output")
        else:
            self.effective = _selection(model, "input_path")
            if model.has(arguments.lower()):
                self.arguments = compile_template(given(arguments.lower()))
            if given("result_selector") is not None:
                self._selector = compile_template(given("result_selector"))
            if model.has("result_path") and given("result_path") != "$":
                self._place = compile_result_path(given("result_path"))
            self._output_path = _selection(model, "output_path")
        self.assign = compile_assign(given("assign"), jsonata=jsonata)

    def scope(self, raw: Scope) -> Scope:
        """What the state's own fields see: in JSONPath, the part of its input that InputPath chooses."""
        return raw.on(self.effective(raw)) if self.effective else raw

    def output(self, raw: Scope, given: Document, result: Document) -> Document:
        """The output that a `result` leads to; `raw` sees the state's input, which `given` is the document of."""
        if self.jsonata:
            if not self._output:
                return result
            value = self._output(self._with_result(raw, result.value))
            return same_or_new(value, given, result)
        value = result.value
        if self._selector:
            value = self._selector(raw.on(value))
        if self._place:
            value = self._place(raw.data, value)
        if self._output_path:
            value = self._output_path(raw.on(value))
        return same_or_new(value, result, given)

    def variables(self, raw: Scope, result: Any) -> Assigned | None:
        """What the state assigns on its `result`; None where it assigns nothing."""
        if not self.assign:
            return None
        assigned: Assigned = self.assign(self._with_result(raw, result) if self.jsonata else raw.on(result))
        return assigned

    def _with_result(self, raw: Scope, result: Any) -> Scope:
        return with_result(raw, result) if self._results else raw


def compile_assign(template: Any, *, jsonata: bool, where: str = "") -> Evaluate | None:
    """What an Assign sets. `where`: what it stands in, if not in the state itself: `Catch[0]/`."""
    if template is None:
        return None
    return compile_jsonata(template, f"{where}Assign") if jsonata else compile_template(template)


def with_result(scope: Scope, result: Any) -> Scope:
    """The same scope with a `$states.result`."""
    return Scope(scope.data, scope.context, scope.variables, result=result)


def with_error(scope: Scope, error_output: Any) -> Scope:
    """The same scope with a `$states.errorOutput`."""
    return Scope(scope.data, scope.context, scope.variables, error_output=error_output)


def _selection(model: StateModel, field: str) -> Evaluate | None:
    path = getattr(model, field, "$")
    return None if path == "$" else compile_selection(path)
