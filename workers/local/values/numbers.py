"""Numbers that a definition computes: from paths, in JSONPath, or by expressions, in JSONata."""

import math
from collections.abc import Callable
from typing import Any

from workers.local.values.errors import QUERY_EVALUATION_ERROR, RUNTIME, EvaluationError
from workers.local.values.jsonata import compile_jsonata
from workers.local.values.scope import Scope, compact
from workers.local.values.templates import compile_reference
from workers.machines.model.base import Part

Number = Callable[[Scope], Any]

_PERCENTAGE = "ToleratedFailurePercentage"
_MANY = 2**53
_LEAST = {"MaxItems": -_MANY}
"""Of the fields that do not start at 0. Reading items has an error of its own for fewer than none."""
_COMPLAINTS = {
    "MaxConcurrency": "Expected non-negative integer for MaxConcurrency, got '{}' instead.",
    "ToleratedFailureCount": "ToleratedFailureCount cannot be negative.",
    _PERCENTAGE: "ToleratedFailurePercentage must be between 0 and 100.",
}
"""AWS's wording for numbers out of bounds, by field."""


def compile_number(model: Part, field: str, asl: str, *, jsonata: bool) -> Number:
    """What the number `asl`, or the path in its place, says; None where neither is given.

    Evaluating raises `EvaluationError` for what is no number, or is out of bounds.
    """
    if path := getattr(model, f"{field}_path", None):
        reference = compile_reference(path, f"{asl}Path")
        return lambda scope: _checked(_read(reference(scope), path, asl), asl)
    value = getattr(model, field) if model.has(field) else None
    if jsonata and value is not None:
        expression = compile_jsonata(value, asl, expected="number")
        bounds = (_LEAST.get(asl, 0), 100 if asl == _PERCENTAGE else _MANY)
        return lambda scope: in_range(expression(scope), asl, *bounds, fractions=asl == _PERCENTAGE)
    return lambda _: value


def whole(value: Any) -> int | None:
    """`value` as a whole number; None where it is none."""
    if isinstance(value, bool):
        return None
    if isinstance(value, float) and math.isfinite(value) and value.is_integer():
        return int(value)
    return value if isinstance(value, int) else None


def in_range(value: Any, field: str, least: int, most: int, *, fractions: bool = False) -> Any:
    """`value`, which an expression gave. Raises `EvaluationError` where it is not between the bounds, or not whole."""
    number = value if fractions and isinstance(value, int | float) else whole(value)
    if number is None or not least <= number <= most:
        kind = "a number" if fractions else "an integer"
        found = f"Expected {kind} in range between {least} and {most}, but was: {compact(value)}"
        raise EvaluationError(QUERY_EVALUATION_ERROR, f"The JSONata expression for the field '{field}' {found}")
    return number


def _read(value: Any, path: str, field: str) -> int | float:
    """Digits in a text count as a number, as on AWS."""
    kind, convert = ("float", float) if field == _PERCENTAGE else ("integer", int)
    number = value
    if isinstance(value, str):
        try:
            number = convert(value)
        except ValueError:
            number = None
    if field != _PERCENTAGE:
        number = whole(number)
    if isinstance(number, int | float) and not isinstance(number, bool) and math.isfinite(number):
        return number
    shown = f'value "{value if isinstance(value, str) else compact(value)}" which is not a valid {kind}'
    raise EvaluationError(RUNTIME, f"The {field}Path field refers to {shown}: {path}")


def _checked(number: float, field: str) -> float:
    if number < _LEAST.get(field, 0) or (field == _PERCENTAGE and number > 100):
        complaint = _COMPLAINTS.get(field, f"{field} cannot be negative.")
        raise EvaluationError(RUNTIME, complaint.replace("{}", compact(number)))
    return number
