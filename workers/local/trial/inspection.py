"""The data flow of a state that was tried, step by step, as `inspectionData` shows it."""

from collections.abc import Iterator
from typing import Any

from workers.local.values.errors import StateError
from workers.local.values.jsonata import compile_jsonata
from workers.local.values.paths import compile_selection
from workers.local.values.result_paths import compile_result_path
from workers.local.values.scope import MISSING, Scope, compact
from workers.local.values.templates import compile_reference, compile_template
from workers.machines.model.machine import AnyState, Map
from workers.machines.model.states import Choice, Fail, Pass, Succeed, Wait

_WITHOUT_RESULT = (Choice, Fail, Succeed, Wait)


def inspected(model: AnyState, scope: Scope, result: Any, *, jsonata: bool) -> dict[str, str]:
    """What became of the input and of the `result` (`MISSING` where there is none), as JSON text by step.

    Steps after one that failed are left out.
    """
    found = {"input": compact(scope.data)}
    steps = _jsonata(model, scope, result) if jsonata else _jsonpath(model, scope, result)
    try:
        for name, value in steps:
            found[name] = compact(value)
    except StateError:
        pass  # the trial itself tells of it
    return found


def _jsonata(model: AnyState, scope: Scope, result: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(model, Map):
        if model.has("items"):
            yield "afterItems", compile_jsonata(model.items, "Items", expected="array")(scope)
    elif not isinstance(model, _WITHOUT_RESULT):
        arguments = getattr(model, "arguments", None)
        yield "afterArguments", scope.data if arguments is None else compile_jsonata(arguments, "Arguments")(scope)
    if result is not MISSING:
        yield "result", result


def _jsonpath(model: AnyState, scope: Scope, result: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(model, Fail):
        return
    effective = scope.on(compile_selection(model.input_path)(scope))
    yield "afterInputPath", effective.data
    if isinstance(model, _WITHOUT_RESULT):
        return
    if isinstance(model, Map):
        yield from _items(model, effective)
    else:
        parameters = model.parameters
        value = effective.data if parameters is None else compile_template(parameters)(effective)
        yield "afterParameters", value
        if isinstance(model, Pass) and result is MISSING:
            result = model.result if model.has("result") else value
    if result is MISSING:
        return
    yield "result", result
    selector = getattr(model, "result_selector", None)
    if not isinstance(model, Pass):
        result = result if selector is None else compile_template(selector)(scope.on(result))
        yield "afterResultSelector", result
    yield "afterResultPath", compile_result_path(model.result_path)(scope.data, result)


def _items(model: Map, scope: Scope) -> Iterator[tuple[str, Any]]:
    items = compile_reference(model.items_path or "$", "ItemsPath")(scope)
    yield "afterItemsPath", items
    selector = model.item_selector if model.item_selector is not None else model.parameters
    if selector is None or not isinstance(items, list):
        return
    select = compile_template(selector)
    contexts = ({**scope.context, "Map": {"Item": {"Index": i, "Value": item}}} for i, item in enumerate(items))
    yield "afterItemSelector", [select(Scope(scope.data, context, scope.variables)) for context in contexts]
