"""Intrinsic functions: what `workers.machines.language.intrinsics` parses, compiled."""

from collections.abc import Callable
from typing import Any

from workers.local.values.errors import INTRINSIC_FAILURE, RUNTIME, EvaluationError
from workers.local.values.functions import FUNCTIONS, ArgumentError, formatted
from workers.local.values.paths import compile_lookup
from workers.local.values.scope import MISSING, Evaluate, Scope, compact
from workers.machines.language.intrinsics import Argument, Call, Text, parse_call
from workers.machines.language.paths import Path


def compile_call(text: str) -> Evaluate:
    """The intrinsic function call `text`.

    Evaluating raises `EvaluationError`: States.Runtime where an argument's path leads to nothing,
    States.IntrinsicFailure for an argument that the function cannot take.
    """
    call = _call(parse_call(text))

    def evaluate(scope: Scope) -> Any:
        try:
            return call(scope)
        except _MissingArgumentError as error:
            raise EvaluationError(RUNTIME, f"The function '{text}' had the following error: {error}") from None
        except ArgumentError as error:
            raise EvaluationError(
                INTRINSIC_FAILURE, f"The function '{text}' had the following error: {error}"
            ) from None

    return evaluate


class _MissingArgumentError(ValueError):
    """The path of an argument leads to nothing."""


def _call(call: Call) -> Evaluate:
    if call.function == "States.Format" and isinstance(template := call.arguments[0], Text):
        values = tuple(map(_argument, call.arguments[1:]))
        parts = template.parts
        return lambda scope: formatted(parts, [value(scope) for value in values])
    function: Callable[..., Any] = FUNCTIONS[call.function]
    arguments = tuple(map(_argument, call.arguments))
    return lambda scope: function(*[argument(scope) for argument in arguments])


def _argument(argument: Argument) -> Evaluate:
    if isinstance(argument, Call):
        return _call(argument)
    if isinstance(argument, Path):
        return _path(argument)
    constant = argument.value
    return lambda _: constant


def _path(path: Path) -> Evaluate:
    lookup = compile_lookup(path.text)

    def evaluate(scope: Scope) -> Any:
        if (found := lookup(scope)) is MISSING:
            searched = compact(scope.context if path.root == "$$" else scope.data)
            problem = f"could not be found in the input '{searched}'"
            raise _MissingArgumentError(f"The JsonPath argument for the field '{path.text}' {problem}")
        return found

    return evaluate
