"""The data flow of a state that was tried, step by step, as `inspectionData` shows it."""

import csv
from collections.abc import Iterator
from typing import Any

from workers.local.states.batching import Batcher
from workers.local.states.item_files import read_items
from workers.local.states.item_reading import READER_FAILED
from workers.local.states.items import items_of
from workers.local.values.errors import StateError
from workers.local.values.jsonata import compile_jsonata
from workers.local.values.numbers import compile_number
from workers.local.values.paths import compile_selection
from workers.local.values.result_paths import compile_result_path
from workers.local.values.scope import MISSING, Scope, compact
from workers.local.values.templates import compile_reference, compile_template
from workers.machines.model.collections import ReaderConfig
from workers.machines.model.machine import AnyState, Map
from workers.machines.model.states import Choice, Fail, Pass, Succeed, Wait

_WITHOUT_RESULT = (Choice, Fail, Succeed, Wait)
_NUMBERS = {
    "maxConcurrency": ("max_concurrency", "MaxConcurrency"),
    "toleratedFailureCount": ("tolerated_failure_count", "ToleratedFailureCount"),
    "toleratedFailurePercentage": ("tolerated_failure_percentage", "ToleratedFailurePercentage"),
}
"""What is shown of a Map as a number: its field in the model and in the definition."""


def inspected(model: AnyState, scope: Scope, result: Any, *, jsonata: bool, read: str | None = None) -> dict[str, Any]:
    """What became of the input and of the `result` (`MISSING` where there is none), as JSON text by step.

    `read`: what a Map's ItemReader would find. Steps after one that failed are left out.
    """
    found: dict[str, Any] = {"input": compact(scope.data)}
    steps = _jsonata(model, scope, result, read) if jsonata else _jsonpath(model, scope, result, read)
    try:
        if isinstance(model, Map):
            effective = scope if jsonata else scope.on(compile_selection(model.input_path)(scope))
            found |= map_numbers(model, effective, jsonata=jsonata)
        for name, value in steps:
            found[name] = compact(value)
    except StateError:
        pass  # the trial itself tells of it
    return found


def map_numbers(model: Map, scope: Scope, *, jsonata: bool) -> dict[str, float]:
    """The numbers of a Map that are given. Raises `StateError`."""
    numbers = {
        name: compile_number(model, field, asl, jsonata=jsonata)(scope)
        for name, (field, asl) in _NUMBERS.items()
        if model.has(field) or getattr(model, f"{field}_path") is not None
    }
    return {name: number for name, number in numbers.items() if number is not None}


def _jsonata(model: AnyState, scope: Scope, result: Any, read: str | None) -> Iterator[tuple[str, Any]]:
    if isinstance(model, Map):
        yield from _collected(model, scope, _read(model, read), jsonata=True)
    elif not isinstance(model, _WITHOUT_RESULT):
        arguments = getattr(model, "arguments", None)
        yield "afterArguments", scope.data if arguments is None else compile_jsonata(arguments, "Arguments")(scope)
    if result is not MISSING:
        yield "result", result


def _jsonpath(model: AnyState, scope: Scope, result: Any, read: str | None) -> Iterator[tuple[str, Any]]:
    if isinstance(model, Fail):
        return
    effective = scope.on(compile_selection(model.input_path)(scope))
    yield "afterInputPath", effective.data
    if isinstance(model, _WITHOUT_RESULT):
        return
    if isinstance(model, Map):
        yield from _collected(model, effective, _read(model, read), jsonata=False)
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


def _read(model: Map, text: str | None) -> Any:
    """The items in what an ItemReader would find; `MISSING` where there is nothing to read. Raises `StateError`."""
    if text is None or model.item_reader is None:
        return MISSING
    try:
        return read_items(text, model.item_reader.reader_config or ReaderConfig())
    except (ValueError, KeyError, TypeError, csv.Error) as error:
        raise StateError(READER_FAILED, f"mapItemReaderData: {error}") from None


def _collected(model: Map, scope: Scope, items: Any, *, jsonata: bool) -> Iterator[tuple[str, Any]]:
    """From the items of a Map to the inputs of its iterations."""
    if items is not MISSING:
        config = model.item_reader.reader_config if model.item_reader else None
        if config and config.items_pointer:
            yield "afterItemsPointer", items
    elif jsonata:
        items = compile_jsonata(model.items, "Items")(scope) if model.has("items") else scope.data
    else:
        items = compile_reference(model.items_path or "$", "ItemsPath")(scope)
        yield "afterItemsPath", items
    if not isinstance(items, list | dict):
        return
    listed = items_of(items)
    selector = model.item_selector if model.item_selector is not None else model.parameters
    if selector is not None:
        select = compile_jsonata(selector, "ItemSelector") if jsonata else compile_template(selector)
        contexts = ({**scope.context, "Map": item.about(index)} for index, item in enumerate(listed))
        inputs = [select(Scope(scope.data, context, scope.variables)) for context in contexts]
        yield "afterItemSelector", inputs
    else:
        inputs = [item.input for item in listed]
    if model.item_batcher is not None:
        batches = Batcher(model.item_batcher, jsonata=jsonata).batches(scope, inputs)
        yield "afterItemBatcher", [given for _, given in batches]
