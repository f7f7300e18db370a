"""What is needed of jsonata-python, imported when the first expression is, and what is otherwise on AWS.

AWS calculates as JavaScript does, with infinities, and tells of errors in the words of jsonata-js: developer guide,
"Transforming data with JSONata"; the values and the words were measured on AWS by the authors of other engines.
"""

import math
import sys
from collections.abc import Callable
from decimal import Decimal
from functools import cache
from typing import Any

from workers.local.values.jsonata_functions import ADDED_FUNCTIONS
from workers.machines.language.jsonata_messages import faults, message

_EXACT = 10**15
_SHOWN_IN_FULL = 10**21
"""Whole numbers between the two are written in full by $string, which the library would round."""
_FAILURES = {"number": "D3030", "toMillis": "D3110", "power": "D3061", "sort": "D3070"}
"""The error of a function whose implementation lets an exception of Python's through; that of all others is T0410."""


class UnsupportedError(ValueError):
    """An expression gave what is no JSON: a function or a regular expression."""


class ExpressionFailedError(ValueError):
    """An expression threw. The text is what AWS says of it."""


class Library:
    """jsonata-python."""

    def __init__(self) -> None:
        limit = sys.getrecursionlimit()
        try:
            from jsonata.jexception import JException
            from jsonata.jsonata import Jsonata
            from jsonata.utils import Utils
        finally:
            sys.setrecursionlimit(limit)  # the package sets its own for the whole process when it is imported
        self._evaluator, self._null = _evaluator(Jsonata, JException), Utils.NULL_VALUE
        self._refused: type[Exception] = JException
        self._functions = {name: Jsonata.JLambda(function) for name, function in ADDED_FUNCTIONS.items()}

    def parse(self, code: str) -> Any:
        """The expression, ready to be evaluated. Raises `ExpressionFailedError`."""
        try:
            with faults(self._refused):
                parsed = self._evaluator(code)
        except self._refused as error:
            raise ExpressionFailedError(message(error, self._null)) from None
        parsed.set_output_convert_nulls(False)
        parsed.set_validate_input(False)
        for name, function in self._functions.items():
            parsed.assign(name, function)
        parsed.assign("eval", None)
        return parsed

    def evaluate(self, parsed: Any, bound: dict[str, Any]) -> Any:
        """What the expression gives as JSON; None where that is nothing. Raises `ExpressionFailedError`."""
        try:
            found = parsed.evaluate(None, bound)
        except self._refused as error:
            raise ExpressionFailedError(message(error, self._null)) from None
        return found

    def given(self, value: Any) -> Any:
        """`value` for an expression: on its own, the library takes None for "nothing"."""
        return self._null if value is None else value

    def as_json(self, value: Any) -> Any:
        """What an expression gave, as JSON. Raises `UnsupportedError`."""
        if value is None or value is self._null:
            return None
        if isinstance(value, float):
            return _number(value)
        if isinstance(value, str | bool | int):
            return value
        if isinstance(value, list):
            return [self.as_json(item) for item in value]
        if isinstance(value, dict):
            return {key: self.as_json(member) for key, member in value.items()}
        raise UnsupportedError


library: Callable[[], Library] = cache(Library)


def _number(value: float) -> int | float | str:
    """As JavaScript writes it: whole numbers without a point, what is no number by name."""
    if not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    return int(value) if value.is_integer() and abs(value) < _SHOWN_IN_FULL else value


def _evaluator(base: Any, refused: type[Exception]) -> Any:
    """The library's evaluator, with the arithmetic of JavaScript, and its errors with the function they come from."""

    class Evaluator(base):  # type: ignore[misc]
        def evaluate_numeric_expression(self, lhs: Any, rhs: Any, op: str) -> Any:
            if _is_finite(lhs) and _is_finite(rhs):
                return _calculated(float(lhs), float(rhs), op)
            return super().evaluate_numeric_expression(lhs, rhs, op)

        def apply_inner(self, proc: Any, args: Any, given: Any, environment: Any) -> Any:
            name = getattr(proc, "function_name", None)
            if name == "string" and args and _is_long(args[0]):
                return format(Decimal(repr(float(args[0]))), "f")
            try:
                return super().apply_inner(proc, args, given, environment)
            except refused as error:
                error.function = getattr(error, "function", name)  # type: ignore[attr-defined]
                raise
            except (ArithmeticError, TypeError, ValueError) as error:
                if name is None:
                    raise  # of a function that Step Functions adds: its own words
                found = refused(_FAILURES.get(name, "T0410"), -1, *args[:2])
                found.function = name  # type: ignore[attr-defined]
                raise found from error

    return Evaluator


def _is_finite(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _is_long(value: Any) -> bool:
    return _is_finite(value) and value == int(value) and _EXACT <= abs(value) < _SHOWN_IN_FULL


def _calculated(left: float, right: float, operator: str) -> int | float:
    if operator == "/":
        result = left / right if right else _by_zero(left, right)
    elif operator == "%":
        result = math.fmod(left, right) if right else math.nan
    else:
        result = left + right if operator == "+" else left - right if operator == "-" else left * right
    return int(result) if math.isfinite(result) and result.is_integer() else result


def _by_zero(left: float, right: float) -> float:
    return math.copysign(math.inf, left) * math.copysign(1, right) if left else math.nan
