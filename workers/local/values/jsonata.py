"""JSONata in definitions, evaluated by jsonata-python: `{% … %}` in any string of a field.

What Step Functions adds ($partition, $range, $hash, $random, $uuid, $parse) and takes away ($eval), the bounds of an
evaluation, and the wording of what goes wrong are AWS's (developer guide, "Transforming data with JSONata"; recorded).
"""

import math
import re
import sys
import time
from collections.abc import Callable
from functools import cache, lru_cache
from typing import Any, Literal

from workers.local.values.errors import QUERY_EVALUATION_ERROR, EvaluationError
from workers.local.values.jsonata_functions import ADDED_FUNCTIONS
from workers.local.values.scope import MISSING, Evaluate, Scope, compact
from workers.machines.language.jsonata import body, is_expression

Expected = Literal["array", "boolean", "number", "object", "string"]
MAX_DEPTH = 100
MAX_SECONDS = 5.0

_VARIABLE = re.compile(r"\$(\w+)")


def compile_jsonata(value: Any, field: str, *, expected: Expected | None = None) -> Evaluate:
    """The value of `field`, in which any string may be an expression.

    `expected`: the type that it must be of if it is an expression as a whole. Evaluating raises `EvaluationError`
    States.QueryEvaluationError, with the place in the field as its location.
    """
    if is_expression(value):
        return _expression(value, field, expected)
    if not _computes(value):
        return lambda _: value
    if isinstance(value, list):
        items = tuple(compile_jsonata(item, f"{field}[{index}]") for index, item in enumerate(value))
        return lambda scope: [item(scope) for item in items]
    members = tuple((key, compile_jsonata(member, f"{field}/{key}")) for key, member in value.items())
    return lambda scope: {key: member(scope) for key, member in members}


def type_name(value: Any) -> str:
    """The type of a JSON value as JSONata calls it."""
    if value is None:
        return "null"
    return next(name for kind, name in _TYPES if isinstance(value, kind))


_TYPES: tuple[tuple[type | tuple[type, ...], str], ...] = (
    (bool, "boolean"),
    (str, "string"),
    ((int, float), "number"),
    (list, "array"),
    (dict, "object"),
)


def _computes(value: Any) -> bool:
    if isinstance(value, dict | list):
        return any(map(_computes, value.values() if isinstance(value, dict) else value))
    return is_expression(value)


def _expression(expression: str, field: str, expected: Expected | None) -> Evaluate:
    code = body(expression)
    query = _Query(code)
    what = f"The JSONata expression '{code}' specified for the field '{field}'"

    def evaluate(scope: Scope) -> Any:
        try:
            found = query(scope)
        except _UnsupportedError:
            unsupported = (
                f"The JSONata expression '{code}' for the field '{field}' returned an unsupported result type."
            )
            raise _error(unsupported, field) from None
        except _FailedError as error:
            raise _error(f"{what} threw an error during evaluation. {error}", field) from None
        if found is MISSING:
            raise _error(f"{what} returned nothing (undefined).", field)
        if expected is not None and (actual := type_name(found)) != expected:
            unexpected = f"Expected '{expected}', but was '{actual}' for value: {compact(found)}"
            raise _error(f"{what} returned an unexpected result type. {unexpected}", field)
        return found

    return evaluate


def _error(cause: str, field: str) -> EvaluationError:
    return EvaluationError(QUERY_EVALUATION_ERROR, cause, location=field)


class _FailedError(ValueError):
    """An expression threw."""


class _UnsupportedError(ValueError):
    """An expression gave what is no JSON: a function or a regular expression."""


class _Query:
    """An expression, parsed when it is first evaluated."""

    def __init__(self, code: str) -> None:
        self._code = code
        self._names = tuple(sorted(set(_VARIABLE.findall(code)) - {"states"}))
        """Of the variables that it may read: binding all would cost more than evaluating."""

    def __call__(self, scope: Scope) -> Any:
        library = _library()
        variables = scope.variables
        bound = {name: library.given(variables[name]) for name in self._names if name in variables}
        bound["states"] = _states(scope)
        bounds = _Bounds()
        bound["__evaluate_entry"], bound["__evaluate_exit"] = bounds.enter, bounds.leave
        try:
            return library.taken(_parsed(self._code).evaluate(None, bound))
        except library.refused as error:
            raise _FailedError(f"{getattr(error, 'error', None)}: {error}") from None
        except ZeroDivisionError:
            raise _FailedError("D1001: Number out of range: Infinity") from None
        except RecursionError:
            raise _FailedError(f"Stack overflow error: Depth={MAX_DEPTH + 1} max={MAX_DEPTH}") from None
        except (_FailedError, _UnsupportedError):
            raise
        except Exception as error:  # the library lets through what its functions stumble over
            raise _FailedError(str(error)) from error


def _states(scope: Scope) -> dict[str, Any]:
    states = {"input": scope.data, "context": scope.context}
    if scope.result is not MISSING:
        states["result"] = scope.result
    if scope.error_output is not MISSING:
        states["errorOutput"] = scope.error_output
    return states


class _Bounds:
    """Ends an evaluation that nests too deeply or takes too long."""

    __slots__ = ("_depth", "_until")

    def __init__(self) -> None:
        self._depth = 0
        self._until = time.monotonic() + MAX_SECONDS

    def enter(self, _: Any, __: Any, ___: Any) -> None:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            advice = "Check for non-terminating recursive function. Consider rewriting as tail-recursive."
            raise _FailedError(f"Stack overflow error: {advice} Depth={self._depth} max={MAX_DEPTH}")
        if time.monotonic() > self._until:
            raise _FailedError(f"Expression evaluation timeout: {MAX_SECONDS * 1000:.0f}ms")

    def leave(self, _: Any, __: Any, ___: Any, ____: Any) -> None:
        self._depth -= 1


class _Library:
    """What is needed of jsonata-python, imported when the first expression is."""

    def __init__(self) -> None:
        limit = sys.getrecursionlimit()
        try:
            from jsonata.jexception import JException
            from jsonata.jsonata import Jsonata
            from jsonata.utils import Utils
        finally:
            sys.setrecursionlimit(limit)  # the package sets its own for the whole process when it is imported
        self._jsonata, self._null = Jsonata, Utils.NULL_VALUE
        self.refused: type[Exception] = JException
        self._functions = {name: Jsonata.JLambda(function) for name, function in ADDED_FUNCTIONS.items()}

    def parse(self, code: str) -> Any:
        parsed = self._jsonata(code)
        parsed.set_output_convert_nulls(False)
        parsed.set_validate_input(False)
        for name, function in self._functions.items():
            parsed.assign(name, function)
        parsed.assign("eval", None)
        return parsed

    def given(self, value: Any) -> Any:
        """`value` for an expression: on its own, the library takes None for "nothing"."""
        return self._null if value is None else value

    def taken(self, value: Any) -> Any:
        """`value` from an expression as JSON, or `MISSING`."""
        return MISSING if value is None else self._json(value)

    def _json(self, value: Any) -> Any:
        if value is None or value is self._null:
            return None
        if isinstance(value, float):
            return _number(value)
        if isinstance(value, str | bool | int):
            return value
        if isinstance(value, list):
            return [self._json(item) for item in value]
        if isinstance(value, dict):
            return {key: self._json(member) for key, member in value.items()}
        raise _UnsupportedError


def _number(value: float) -> int | float | str:
    """As JavaScript writes it: whole numbers without a point, what is no number by name."""
    if not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    return int(value) if value.is_integer() and abs(value) < 1e21 else value


_library: Callable[[], _Library] = cache(_Library)


@lru_cache(maxsize=4096)
def _parsed(code: str) -> Any:
    return _library().parse(code)
