"""JSONata in definitions, evaluated by jsonata-python: `{% … %}` in any string of a field.

What Step Functions adds ($partition, $range, $hash, $random, $uuid, $parse) and takes away ($eval), the bounds of an
evaluation, and the wording of what goes wrong are AWS's (developer guide, "Transforming data with JSONata"; recorded).
"""

import re
import time
from functools import lru_cache
from typing import Any, Literal

from workers.local.values.errors import QUERY_EVALUATION_ERROR, EvaluationError
from workers.local.values.jsonata_functions import MemoryLimitError
from workers.local.values.jsonata_library import ExpressionFailedError, UnsupportedError, library
from workers.local.values.scope import MISSING, Evaluate, Scope, compact
from workers.machines.language.jsonata import body, is_expression

Expected = Literal["array", "boolean", "number", "object", "string"]
MAX_DEPTH = 100
MAX_SECONDS = 5.0
MAX_ITEMS = 873_782 + 1
"""Of one array that an expression holds (measured on AWS); the library counts one too many in a range."""
MAX_CHARACTERS = 6_990_256
"""Of one text."""
_TOO_DEEP = "Stack overflow error: Check for non-terminating recursive function. Consider rewriting as tail-recursive."
_TOO_MUCH = "Expression evaluation memory limit exceeded: Check for excessive memory usage"

_VARIABLE = re.compile(r"\$(\w+)")


def compile_jsonata(
    value: Any, field: str, *, expected: Expected | None = None, also: Expected | None = None
) -> Evaluate:
    """The value of `field`, in which any string may be an expression.

    `expected`, `also`: the types that it may be of if it is an expression as a whole.

    Evaluating raises `EvaluationError` States.QueryEvaluationError, with the place in the field as its location.
    """
    if is_expression(value):
        return _expression(value, field, expected, also)
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


def _expression(expression: str, field: str, expected: Expected | None, also: Expected | None) -> Evaluate:
    code = body(expression)
    query = _Query(code)
    what = f"The JSONata expression '{code}' specified for the field '{field}'"

    def evaluate(scope: Scope) -> Any:
        try:
            found = query(scope)
        except UnsupportedError:
            unsupported = (
                f"The JSONata expression '{code}' for the field '{field}' returned an unsupported result type."
            )
            raise _error(unsupported, field) from None
        except ExpressionFailedError as error:
            raise _error(f"{what} threw an error during evaluation. {error}", field) from None
        except _BoundError as error:
            raise _error(f"{what} threw an error during evaluation: {error}", field) from None
        if found is MISSING:
            raise _error(f"{what} returned nothing (undefined).", field)
        if expected is not None and (actual := type_name(found)) not in {expected, also}:
            unexpected = f"Expected '{expected}', but was '{actual}' for value: {compact(found)}"
            raise _error(f"{what} returned an unexpected result type. {unexpected}", field)
        return found

    return evaluate


def _error(cause: str, field: str) -> EvaluationError:
    return EvaluationError(QUERY_EVALUATION_ERROR, cause, location=field)


class _BoundError(ValueError):
    """An expression nests too deeply, takes too long, or holds too much. AWS puts a colon before its text."""


class _Query:
    """An expression, parsed when it is first evaluated."""

    def __init__(self, code: str) -> None:
        self._code = code
        self._names = tuple(sorted(set(_VARIABLE.findall(code)) - {"states"}))
        """Of the variables that it may read: binding all would cost more than evaluating."""

    def __call__(self, scope: Scope) -> Any:
        """What it gives, or `MISSING`. Raises `ExpressionFailedError`, `UnsupportedError`, `_BoundError`."""
        python = library()
        variables = scope.variables
        bound = {name: python.given(variables[name]) for name in self._names if name in variables}
        bound["states"] = _states(scope)
        bounds = _Bounds()
        bound["__evaluate_entry"], bound["__evaluate_exit"] = bounds.enter, bounds.leave
        try:
            found = python.evaluate(_parsed(self._code), bound)
            return MISSING if found is None else python.as_json(found)
        except RecursionError:
            raise _BoundError(f"{_TOO_DEEP} Depth={MAX_DEPTH + 1} max={MAX_DEPTH}") from None
        except MemoryLimitError:
            raise _BoundError(_TOO_MUCH) from None
        except (ExpressionFailedError, UnsupportedError, _BoundError):
            raise
        except Exception as error:  # the library lets through what its functions stumble over
            raise ExpressionFailedError(str(error)) from error


def _states(scope: Scope) -> dict[str, Any]:
    states = {"input": scope.data, "context": scope.context}
    if scope.result is not MISSING:
        states["result"] = scope.result
    if scope.error_output is not MISSING:
        states["errorOutput"] = scope.error_output
    return states


class _Bounds:
    """Ends an evaluation that nests too deeply, takes too long, or makes something too large."""

    __slots__ = ("_depth", "_until")

    def __init__(self) -> None:
        self._depth = 0
        self._until = time.monotonic() + MAX_SECONDS

    def enter(self, _: Any, __: Any, ___: Any) -> None:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise _BoundError(f"{_TOO_DEEP} Depth={self._depth} max={MAX_DEPTH}")
        if time.monotonic() > self._until:
            raise _BoundError(f"Expression evaluation timeout: {MAX_SECONDS * 1000:.0f}ms")

    def leave(self, _: Any, __: Any, ___: Any, result: Any) -> None:
        self._depth -= 1
        if (isinstance(result, list) and len(result) > MAX_ITEMS) or (
            isinstance(result, str) and len(result) > MAX_CHARACTERS
        ):
            raise _BoundError(_TOO_MUCH)


@lru_cache(maxsize=4096)
def _parsed(code: str) -> Any:
    return library().parse(code)
