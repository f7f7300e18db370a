"""Writing by reference path: where ResultPath puts a result into a state's input."""

from collections.abc import Callable
from typing import Any

from workers.local.values.errors import RESULT_PATH_MATCH_FAILURE, EvaluationError
from workers.local.values.scope import compact
from workers.machines.language.paths import Index, Member, parse_path

Place = Callable[[Any, Any], Any]
"""Gives a state's input with its result in place: `place(state_input, result)`. Neither is changed."""


def compile_result_path(text: str | None) -> Place:
    """Where `text` puts a result; None drops the result, `$` replaces the input by it.

    Objects on the way come into being. Placing raises `EvaluationError` States.ResultPathMatchFailure where the
    input has something else in the way.
    """
    if text is None:
        return lambda state_input, _: state_input
    steps = tuple(
        step.name if isinstance(step, Member) else step.index
        for step in parse_path(text).steps
        if isinstance(step, Member | Index)
    )
    if not steps:
        return lambda _, result: result
    return lambda state_input, result: _placed(state_input, steps, result)


def _placed(value: Any, steps: tuple[str | int, ...], result: Any) -> Any:
    if not steps:
        return result
    step, rest = steps[0], steps[1:]
    if isinstance(step, str) and isinstance(value, dict):
        return value | {step: _placed(value.get(step, {}), rest, result)}
    if isinstance(step, int) and isinstance(value, list) and -len(value) <= step < len(value):
        copied = list(value)
        copied[step] = _placed(copied[step], rest, result)
        return copied
    shown = f'"{step}"' if isinstance(step, str) else str(step)
    raise EvaluationError(RESULT_PATH_MATCH_FAILURE, f"Unable to apply step {shown} to input {compact(value)}")
