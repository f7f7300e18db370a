"""Conditions as lists: `[and, [">=", $.value, 20], ["<", $.value, 30]]`, and back."""

import difflib
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from workers.machines.language.jsonata import is_expression
from workers.machines.model.conditions import COMPARATORS, TESTS, Family
from workers.machines.model.shapes import snake_case
from workers.machines.notation.operators import Condition
from workers.machines.notation.values import ValueRefusedError, plain_json, timestamp
from workers.machines.problems import Where

_SYMBOLS = {
    "=": "Equals",
    "<": "LessThan",
    "<=": "LessThanEquals",
    ">": "GreaterThan",
    ">=": "GreaterThanEquals",
}
_ELSEWHERE = {
    "==": "=",
    "!=": '[not, ["=", …]]',
    "<>": '[not, ["=", …]]',
    "&&": "and",
    "||": "or",
    "!": "not",
}
"""How other languages write it."""
_JOINS = {"and": "And", "or": "Or"}
_WORDS = {name: name for name in COMPARATORS} | {snake_case(name): name for name in COMPARATORS}
_KEYS = _WORDS | {
    "Variable": "Variable",
    "variable": "Variable",
    "Comment": "Comment",
    "comment": "Comment",
    "Condition": "Condition",
    "condition": "Condition",
    "And": "And",
    "and": "And",
    "Or": "Or",
    "or": "Or",
    "Not": "Not",
    "not": "Not",
}
_UNREAD = {"Variable": "$", "IsPresent": True}
"""Stands where a condition cannot be read, so that nothing else is found wrong there."""
CONDITION_WORDS = frozenset(_KEYS) - {"Comment", "comment"}
"""The keys, in both spellings, that make an object a condition."""

Refuse = Callable[[Where, str], None]
"""Takes note of a condition that cannot be read: where it stands in the source, and why."""
Record = Callable[[Where, Where], None]
"""Takes note of a place in ASL, and of the place in the source that it comes from."""


class ConditionReader:
    """Reads conditions into ASL, whatever their form. Faults are handed to `refuse`, places to `record`."""

    def __init__(self, refuse: Refuse, record: Record) -> None:
        self._refuse = refuse
        self._record = record

    def read(self, data: Any, to: Where, source: Where) -> dict[str, Any]:
        """The condition `data`, which stands at `source`, as the ASL that will stand at `to`."""
        if isinstance(data, Condition):
            data = data.notation
        self._record(to, source)
        if isinstance(data, Mapping):
            return self._object(data, to, source)
        if isinstance(data, list | tuple):
            return self._list(data, to, source)
        if isinstance(data, bool) or is_expression(data):
            self._record((*to, "Condition"), source)
            return {"Condition": data}
        if isinstance(data, str):
            self._record((*to, "Variable"), source)
            return {"Variable": str(data), "BooleanEquals": True}
        self._refuse(source, f'{data!r} is no condition: write a list such as ["=", "$.x", 1], or a path')
        return dict(_UNREAD)

    def _list(self, data: list[Any] | tuple[Any, ...], to: Where, source: Where) -> dict[str, Any]:
        operator = data[0] if data and isinstance(data[0], str) else None
        if operator in _JOINS:
            return self._join(_JOINS[operator], data, to, source)
        if operator == "not":
            if len(data) != 2:
                self._refuse(source, f"'not' takes one condition, found {len(data) - 1}")
                return dict(_UNREAD)
            self._record((*to, "Not"), source)
            return {"Not": self.read(data[1], (*to, "Not"), (*source, 1))}
        if operator in _SYMBOLS or operator in _WORDS:
            return self._comparison(operator, data, to, source)
        known = "and, or, not, =, <, <=, >, >=, or a comparator such as string_matches or is_present"
        self._refuse(source, f"a condition starts with its operator ({known}), found {data[:1]!r}{_meant(operator)}")
        return dict(_UNREAD)

    def _join(self, key: str, data: list[Any] | tuple[Any, ...], to: Where, source: Where) -> dict[str, Any]:
        if len(data) < 2:
            self._refuse(source, f"{data[0]!r} needs at least one condition")
            return dict(_UNREAD)
        self._record((*to, key), source)
        parts = enumerate(data[1:])
        return {key: [self.read(part, (*to, key, i), (*source, i + 1)) for i, part in parts]}

    def _comparison(self, operator: str, data: list[Any] | tuple[Any, ...], to: Where, source: Where) -> dict[str, Any]:
        comparator = _WORDS.get(operator)
        if comparator in TESTS and len(data) == 2:
            data = [*data, True]
        if len(data) != 3:
            self._refuse(source, f"{operator!r} takes a path and a value, found {len(data) - 1} of them")
            return dict(_UNREAD)
        path = data[1].notation if isinstance(data[1], Condition) else data[1]
        try:
            value = _value(data[2])
            comparator = comparator or f"{_family(operator, path, data[2])}{_SYMBOLS[operator]}"
        except ValueRefusedError as refused:
            self._refuse((*source, 2), str(refused))
            return dict(_UNREAD)
        self._record((*to, "Variable"), (*source, 1))
        self._record((*to, comparator), (*source, 2))
        return {"Variable": path, comparator: value}

    def _object(self, data: Mapping[Any, Any], to: Where, source: Where) -> dict[str, Any]:
        """A condition written as ASL writes it, in either spelling of its keys."""
        asl: dict[str, Any] = {}
        for given, value in data.items():
            key, place = _KEYS.get(given, str(given)), (*source, str(given))
            if key in asl:
                self._refuse(place, f"{key} is given twice")
            inner = (*to, key)
            self._record(inner, place)
            if key == "Not":
                asl[key] = self.read(value, inner, place)
            elif key in {"And", "Or"} and isinstance(value, list | tuple):
                asl[key] = [self.read(part, (*inner, i), (*place, i)) for i, part in enumerate(value)]
            elif key == "Condition" and not (isinstance(value, bool) or is_expression(value)):
                asl = self._merged(asl, self.read(value, to, place), place)
            else:
                asl[key] = self._plain(value, place)
        return asl

    def _merged(self, asl: dict[str, Any], more: dict[str, Any], place: Where) -> dict[str, Any]:
        if twice := asl.keys() & more.keys():
            self._refuse(place, f"the condition is given twice: here, and as {', '.join(sorted(twice))}")
        return asl | more

    def _plain(self, value: Any, place: Where) -> Any:
        try:
            return _value(value)
        except ValueRefusedError as refused:
            self._refuse(place, str(refused))
            return None


def _value(value: Any) -> Any:
    if isinstance(value, Condition):
        value = value.notation
    return timestamp(value) if isinstance(value, datetime) else plain_json(value)


def _family(symbol: str, path: Any, value: Any) -> Family:
    """What `symbol` compares, judged by the value it compares with."""
    if isinstance(value, bool) and symbol == "=":
        return Family.BOOLEAN
    if isinstance(value, int | float) and not isinstance(value, bool):
        return Family.NUMERIC
    if isinstance(value, datetime):
        return Family.TIMESTAMP
    if isinstance(value, str):
        return Family.STRING
    if value is None:
        raise ValueRefusedError(f"{symbol} cannot compare with null: write [is_null, {path}]")
    if isinstance(value, bool):
        raise ValueRefusedError(f"{symbol} cannot compare with true or false, only = can")
    if isinstance(value, Condition):
        raise ValueRefusedError(f"{symbol} with another path needs a comparator such as numeric_equals_path")
    raise ValueRefusedError(f"{symbol} compares with text, a number, true, false or a moment, not with {value!r}")


def write_condition(asl: Any) -> Any:
    """The condition `asl` in the notation: a list where there is one for it, else an object."""
    if not isinstance(asl, dict):
        return asl
    keys = set(asl)
    if "Variable" in keys and len(keys) == 2:
        return _written_comparison(asl, next(key for key in asl if key != "Variable"))
    if len(keys) == 1:
        ((key, value),) = asl.items()
        if key in {"And", "Or"} and isinstance(value, list) and value:
            return [key.lower(), *map(write_condition, value)]
        if key == "Not":
            return ["not", write_condition(value)]
        if key == "Condition" and (isinstance(value, bool) or is_expression(value)):
            return value
    return {_spelling(key): _written_member(key, value) for key, value in asl.items()}


def _spelling(key: str) -> str:
    return snake_case(key) if key in _KEYS else key


def _written_member(key: str, value: Any) -> Any:
    if key in {"And", "Or"} and isinstance(value, list):
        return [write_condition(part) for part in value]
    return write_condition(value) if key == "Not" else value


def _written_comparison(asl: dict[str, Any], comparator: str) -> Any:
    path, value = asl["Variable"], asl[comparator]
    if comparator not in COMPARATORS or not isinstance(path, str):
        return {_spelling(key): one for key, one in asl.items()}
    if comparator == "BooleanEquals" and value is True and path.startswith("$"):
        return path
    if comparator in TESTS and value is True:
        return [snake_case(comparator), path]
    return [_symbol(comparator, value) or snake_case(comparator), path, value]


def _symbol(comparator: str, value: Any) -> str | None:
    """The sign that stands for `comparator` where the value alone tells the rest."""
    for symbol, word in _SYMBOLS.items():
        try:
            if comparator == f"{_family(symbol, '', value)}{word}":
                return symbol
        except ValueRefusedError:
            continue
    return None


def _meant(operator: str | None) -> str:
    """What somebody probably meant who wrote `operator`."""
    if operator in _ELSEWHERE:
        return f": write {_ELSEWHERE[operator]}"
    words = [word for word in _WORDS if word.islower()]
    close = difflib.get_close_matches((operator or "").lower(), [*words, *_JOINS, "not"], n=1, cutoff=0.75)
    return f": did you mean {close[0]}?" if close else ""
