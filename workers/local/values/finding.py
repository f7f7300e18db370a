"""Paths that may find several values: wildcards, slices, unions, deep scans, filters, functions."""

import re
import statistics
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from workers.local.values.scope import MISSING, Scope
from workers.machines.language.paths import (
    Descent,
    Filter,
    Function,
    Index,
    Literal,
    Logic,
    Member,
    Path,
    Slice,
    Step,
    Test,
    Union,
    Wildcard,
)

Find = Callable[[Any, Scope], Any]


def finder(steps: tuple[Step, ...]) -> Find:
    """What `steps` lead to from a value: one value or `MISSING` if they are definite, else a list."""
    *inner, last = steps
    if isinstance(last, Function):
        find = finder(tuple(inner)) if inner else lambda value, _: value
        call = _FUNCTIONS.get(last.name)
        return lambda value, scope: MISSING if call is None else call(find(value, scope))
    definite = all(isinstance(step, Member | Index) for step in inner) and _names_one(last)

    def find_all(value: Any, scope: Scope) -> Any:
        found: Iterable[Any] = () if value is MISSING else (value,)
        for step in steps:
            found = _APPLY[type(step)](step, found, scope)
        return next(iter(found), MISSING) if definite else list(found)

    return find_all


def _names_one(last: Step) -> bool:
    """Whether the last step leads to one value; several members at the end are one object of them (Jayway)."""
    return isinstance(last, Member | Index) or (isinstance(last, Union) and isinstance(last.parts[0], Member))


def _members(step: Member, values: Iterable[Any], _: Scope) -> Iterator[Any]:
    for value in values:
        if isinstance(value, dict) and step.name in value:
            yield value[step.name]


def _indexed(step: Index, values: Iterable[Any], _: Scope) -> Iterator[Any]:
    for value in values:
        if isinstance(value, list) and -len(value) <= step.index < len(value):
            yield value[step.index]


def _slices(step: Slice, values: Iterable[Any], _: Scope) -> Iterator[Any]:
    for value in values:
        if isinstance(value, list) and step.step != 0:
            yield from value[step.start : step.stop : step.step]


def _unions(step: Union, values: Iterable[Any], scope: Scope) -> Iterator[Any]:
    for value in values:
        if isinstance(step.parts[0], Member):  # one object of the chosen members (Jayway)
            if isinstance(value, dict):
                yield {part.name: value[part.name] for part in step.parts if part.name in value}
        else:
            for part in step.parts:
                yield from _indexed(part, (value,), scope)


def _children(_: Wildcard, values: Iterable[Any], __: Scope) -> Iterator[Any]:
    for value in values:
        if isinstance(value, dict | list):
            yield from value.values() if isinstance(value, dict) else value


def _descendants(_: Descent, values: Iterable[Any], __: Scope) -> Iterator[Any]:
    waiting = list(values)[::-1]
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict | list):
            yield value
            waiting += reversed(value.values() if isinstance(value, dict) else value)


def _filtered(step: Filter, values: Iterable[Any], scope: Scope) -> Iterator[Any]:
    for value in values:
        for item in value if isinstance(value, list) else (value,) if isinstance(value, dict) else ():
            if _holds(step.test, item, scope):
                yield item


_APPLY: dict[type, Callable[[Any, Iterable[Any], Scope], Iterable[Any]]] = {
    Member: _members,
    Index: _indexed,
    Slice: _slices,
    Union: _unions,
    Wildcard: _children,
    Descent: _descendants,
    Filter: _filtered,
}


def _holds(test: Test, item: Any, scope: Scope) -> bool:
    if isinstance(test, Logic):
        parts = (_holds(part, item, scope) for part in test.parts)
        return not next(parts) if test.operator == "!" else any(parts) if test.operator == "||" else all(parts)
    left = _operand(test.left, item, scope)
    if test.operator is None:
        return left is not MISSING and left != []
    right = _operand(test.right, item, scope) if test.right is not None else MISSING
    return _OPERATORS[test.operator](left, right)


def _operand(operand: Path | Literal, item: Any, scope: Scope) -> Any:
    if isinstance(operand, Literal):
        return list(operand.value) if isinstance(operand.value, tuple) else operand.value
    start = item if operand.root == "@" else scope.context if operand.root == "$$" else scope.data
    if operand.root not in {"@", "$", "$$"}:
        start = scope.variables.get(operand.root, MISSING)
    return finder(operand.steps)(start, scope) if operand.steps else start


def _equal(left: Any, right: Any) -> bool:
    """JSON's equality: `true` is not 1."""
    if isinstance(left, bool) or isinstance(right, bool):
        return left is right
    return bool(left == right)


def _ordered(compare: Callable[[Any, Any], bool]) -> Callable[[Any, Any], bool]:
    def holds(left: Any, right: Any) -> bool:
        numbers = all(isinstance(side, int | float) and not isinstance(side, bool) for side in (left, right))
        return (numbers or (isinstance(left, str) and isinstance(right, str))) and compare(left, right)

    return holds


def _in(left: Any, right: Any) -> bool:
    return left is not MISSING and isinstance(right, list) and any(_equal(left, one) for one in right)


def _matches(left: Any, right: Any) -> bool:
    if not (isinstance(left, str) and isinstance(right, str)):
        return False
    pattern, _, flags = right.removeprefix("/").rpartition("/")
    try:
        return re.fullmatch(pattern, left, re.IGNORECASE if "i" in flags else 0) is not None
    except re.error:
        return False


def _contains(left: Any, right: Any) -> bool:
    return right in left if isinstance(left, str) and isinstance(right, str) else _in(right, left)


def _size(left: Any, right: Any) -> bool:
    return isinstance(left, list | str) and _equal(len(left), right)


def _lists(quantify: Callable[[Iterable[bool]], bool]) -> Callable[[Any, Any], bool]:
    return lambda left, right: isinstance(left, list) and quantify(_in(one, right) for one in left)


_OPERATORS: dict[str, Callable[[Any, Any], bool]] = {
    "==": _equal,
    "!=": lambda left, right: not _equal(left, right),
    "<": _ordered(lambda left, right: left < right),
    "<=": _ordered(lambda left, right: left <= right),
    ">": _ordered(lambda left, right: left > right),
    ">=": _ordered(lambda left, right: left >= right),
    "=~": _matches,
    "in": _in,
    "nin": lambda left, right: not _in(left, right),
    "subsetof": _lists(all),
    "anyof": _lists(any),
    "noneof": _lists(lambda found: not any(found)),
    "contains": _contains,
    "size": _size,
    "empty": lambda left, right: isinstance(left, list | str) and (len(left) == 0) is right,
}


def _over_numbers(compute: Callable[[list[float]], float]) -> Callable[[Any], Any]:
    def call(values: Any) -> Any:
        listed = values if isinstance(values, list) else []
        numbers = [value for value in listed if isinstance(value, int | float) and not isinstance(value, bool)]
        return float(compute(numbers)) if numbers else MISSING

    return call


def _length(value: Any) -> Any:
    return len(value) if isinstance(value, list | dict | str) else MISSING


def _at(index: int) -> Callable[[Any], Any]:
    return lambda values: values[index] if isinstance(values, list) and values else MISSING


_FUNCTIONS: dict[str, Callable[[Any], Any]] = {
    "length": _length,
    "keys": lambda value: list(value) if isinstance(value, dict) else MISSING,
    "min": _over_numbers(min),
    "max": _over_numbers(max),
    "sum": _over_numbers(sum),
    "avg": _over_numbers(statistics.fmean),
    "stddev": _over_numbers(statistics.pstdev),
    "first": _at(0),
    "last": _at(-1),
}
"""Those without arguments of their own; a path that ends in another leads to nothing."""
