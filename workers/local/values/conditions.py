"""The conditions of a Choice, compiled."""

import operator
import re
from collections.abc import Callable
from typing import Any

from workers.local.values.errors import RUNTIME, EvaluationError
from workers.local.values.jsonata import compile_jsonata
from workers.local.values.paths import compile_lookup
from workers.local.values.scope import MISSING, Scope
from workers.local.values.timestamps import parse_timestamp
from workers.machines.model.conditions import (
    PATH_COMPARATORS,
    TESTS,
    VALUE_COMPARATORS,
    And,
    Comparison,
    Condition,
    Expression,
    Family,
    Not,
    Or,
)

Holds = Callable[[Scope], bool]


def compile_condition(condition: Condition, field: str) -> Holds:
    """Whether `condition` holds, which stands in `field`: `Choices[0]/Condition`.

    Evaluating raises `EvaluationError`: States.Runtime for a path that leads to nothing,
    States.QueryEvaluationError for an expression that gives neither true nor false.
    """
    if isinstance(condition, Expression):
        return compile_jsonata(condition.condition, field, expected="boolean")
    if isinstance(condition, Not):
        opposite = compile_condition(condition.condition, field)
        return lambda scope: not opposite(scope)
    if isinstance(condition, And):
        all_of = tuple(compile_condition(part, field) for part in condition.conditions)
        return lambda scope: all(part(scope) for part in all_of)
    if isinstance(condition, Or):
        any_of = tuple(compile_condition(part, field) for part in condition.conditions)
        return lambda scope: any(part(scope) for part in any_of)
    return _comparison(condition)


def _comparison(comparison: Comparison) -> Holds:
    name, value, lookup = comparison.comparator, comparison.value, compile_lookup(comparison.variable)
    if name == "IsPresent":
        return lambda scope: (lookup(scope) is not MISSING) is value
    variable = _present(comparison.variable, lookup)
    if name in TESTS:
        test = _TESTS[name]
        return lambda scope: test(variable(scope)) is value
    if name == "StringMatches":
        pattern = _pattern(value)
        return lambda scope: isinstance(text := variable(scope), str) and pattern.fullmatch(text) is not None
    if name in PATH_COMPARATORS:
        read, compare = _READ[PATH_COMPARATORS[name]], _order(name.removesuffix("Path"), PATH_COMPARATORS[name])
        other = _present(value, compile_lookup(value))
        return lambda scope: _compared(compare, read(variable(scope)), read(other(scope)))
    family = VALUE_COMPARATORS[name]
    read, compare, constant = _READ[family], _order(name, family), _READ[family](value)
    return lambda scope: _compared(compare, read(variable(scope)), constant)


def _present(path: str, lookup: Callable[[Scope], Any]) -> Callable[[Scope], Any]:
    def evaluate(scope: Scope) -> Any:
        if (found := lookup(scope)) is MISSING:
            why = f"Invalid path '{path}': The choice state's condition path references an invalid value."
            raise EvaluationError(RUNTIME, why)
        return found

    return evaluate


def _compared(compare: Callable[[Any, Any], bool], left: Any, right: Any) -> bool:
    """Values that are not of the comparator's family are never equal, less or greater."""
    return left is not MISSING and right is not MISSING and compare(left, right)


_ORDERS: dict[str, Callable[[Any, Any], bool]] = {
    "Equals": operator.eq,
    "LessThan": operator.lt,
    "LessThanEquals": operator.le,
    "GreaterThan": operator.gt,
    "GreaterThanEquals": operator.ge,
}


def _order(name: str, family: Family) -> Callable[[Any, Any], bool]:
    return _ORDERS[name.removeprefix(family)]


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _moment(value: Any) -> Any:
    return parse_timestamp(value) or MISSING if isinstance(value, str) else MISSING


_READ: dict[Family, Callable[[Any], Any]] = {
    Family.BOOLEAN: lambda value: value if isinstance(value, bool) else MISSING,
    Family.NUMERIC: lambda value: value if _is_number(value) else MISSING,
    Family.STRING: lambda value: value if isinstance(value, str) else MISSING,
    Family.TIMESTAMP: _moment,
}
"""What a comparator of each family makes of a value."""

_TESTS: dict[str, Callable[[Any], bool]] = {
    "IsNull": lambda value: value is None,
    "IsString": lambda value: isinstance(value, str),
    "IsNumeric": _is_number,
    "IsBoolean": lambda value: isinstance(value, bool),
    "IsTimestamp": lambda value: _moment(value) is not MISSING,
}


def _pattern(text: str) -> re.Pattern[str]:
    r"""`*` stands for any characters; `\*` and `\\` for themselves."""
    parts = re.findall(r"\\[*\\]|\*|[^*]", text, re.DOTALL)
    return re.compile("".join(".*" if part == "*" else re.escape(part[-1]) for part in parts), re.DOTALL)
