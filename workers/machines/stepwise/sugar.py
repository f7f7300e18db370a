"""Stepwise's notation becomes ours: the same machine, key by key.

Stepwise's names of keys, types and operators are those of its README. Where it changed a definition without a word, or
let something pass that never worked, a note says so.
"""

from collections.abc import Collection, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from workers.errors import UsageError
from workers.machines.stepwise.edn import key, keyword, moment, plain, read_edn

_FLOW = {"comment", "input-path", "output-path", "next", "end"}
_WORK = {"parameters", "result-selector", "result-path", "retry", "catch"}
_KEPT = {
    "choice": {"choices", "default", "comment", "input-path", "output-path"},
    "fail": {"error", "cause", "comment"},
    "parallel": {"branches", *_FLOW, *_WORK},
    "pass": {"result", "parameters", "result-path", *_FLOW},
    "succeed": {"comment", "input-path", "output-path"},
    "task": {"resource", "timeout-seconds", "heartbeat-seconds", *_FLOW, *_WORK},
    "wait": {"seconds", "seconds-path", "timestamp", "timestamp-path", *_FLOW},
}
"""What Stepwise wrote of each type of state; anything else that it knew, it left out without a word."""
_KNOWN = {"type", *set().union(*_KEPT.values())}
_NAMES = {"next", "default", "start-at", "error", "resource"}
_MOMENTS = {
    "=": "timestamp_equals",
    "<": "timestamp_less_than",
    "<=": "timestamp_less_than_equals",
    ">": "timestamp_greater_than",
    ">=": "timestamp_greater_than_equals",
}


@dataclass
class Converted:
    """A machine in our notation, as data, and what its owner should know of it."""

    notation: dict[str, Any]
    notes: list[str] = field(default_factory=list)


def from_stepwise(text: str, *, name: str = "the definition") -> Converted:
    """The machine in an EDN text, in our notation.

    It becomes the ASL that Stepwise made of it: without the envelope and the retrier for deploys, which workers of
    Stepwise would not understand. Raises `UsageError` for a text that is no definition.
    """
    conversion = _Conversion(name)
    found = read_edn(text, name)
    try:
        machine = conversion.machine(found, "")
    except RecursionError:
        raise UsageError(f"{name} is nested too deeply") from None
    states = {"states": machine.pop("states")} if "states" in machine else {}
    return Converted({**machine, "context": False, "deploy_retry": False, **states}, conversion.notes)


class _Conversion:
    def __init__(self, name: str) -> None:
        self.notes: list[str] = []
        self._name = name

    def machine(self, value: Any, where: str) -> dict[str, Any]:
        """A whole machine, or the branch of a Parallel state."""
        fields = self._fields(value, where)
        states = fields.pop("states", None)
        converted = {_snake(one): self._value(one, inner, where) for one, inner in fields.items()}
        if states is not None:
            self._map(states, f"{where}states")
            named = {_name(one, f"{where}states"): inner for one, inner in states.items()}
            converted["states"] = {one: self._state(inner, f"{where}states.{one}.") for one, inner in named.items()}
        return converted

    def _state(self, value: Any, where: str) -> dict[str, Any]:
        fields = self._fields(value, where)
        kind = keyword(fields.pop("type", None))
        if kind not in _KEPT:
            known = ", ".join(f":{one}" for one in sorted(_KEPT))
            raise self._wrong(where, f"its :type is none of {known}")
        ignored = [one for one in fields if one in _KNOWN - _KEPT[kind]]
        for one in ignored:
            self.notes.append(f"{where}{one}: Stepwise ignored this in a {kind} state, so it is left out")
            del fields[one]
        return {"type": kind, **{_snake(one): self._value(one, inner, where) for one, inner in fields.items()}}

    def _value(self, name: str, value: Any, where: str) -> Any:
        place = f"{where}{name}"
        if each := {"retry": self._rule, "catch": self._rule, "choices": self._choice, "branches": self.machine}.get(
            name
        ):
            return [each(one, f"{place}[{n}].") for n, one in enumerate(self._list(value, place))]
        if name == "end" and not value:
            self.notes.append(f"{place}: any value means the end in Stepwise, so it is true")
        if name == "end":
            return True
        if name == "resource" and isinstance(value, str):
            return value
        return _name(value, place) if name in _NAMES else plain(value)

    def _rule(self, value: Any, where: str) -> dict[str, Any]:
        fields = self._fields(value, where)
        converted = {_snake(one): self._value(one, inner, where) for one, inner in fields.items()}
        if "error-equals" in fields:
            converted["error_equals"] = self._errors(fields["error-equals"], f"{where}error-equals")
        return converted

    def _errors(self, value: Any, where: str) -> str | list[str]:
        several = isinstance(value, AbstractSet | Sequence) and not isinstance(value, str)
        found = list(value) if several else [value]
        for one in found:
            if "/" in (keyword(one) or ""):
                self.notes.append(
                    f"{where}: Stepwise wrote {one} as {_name(one, where)} but its workers sent {keyword(one)}, which "
                    "never matched: raise one of the two names, and name that here"
                )
        names = [_name(one, where) for one in found]
        return (sorted(names) if isinstance(value, AbstractSet) else names) if several else names[0]

    def _choice(self, value: Any, where: str) -> dict[str, Any]:
        fields = self._fields(value, where)
        converted = {_snake(one): self._value(one, inner, where) for one, inner in fields.items() if one != "condition"}
        if "condition" in fields:
            converted = {"condition": self._condition(fields["condition"], f"{where}condition"), **converted}
        return converted

    def _condition(self, value: Any, where: str) -> Any:
        if isinstance(value, str):
            return value
        operator, *parts = self._list(value, where) or [None]
        sign = keyword(operator)
        if sign in {"and", "or"}:
            return [sign, *(self._condition(part, f"{where}[{n}]") for n, part in enumerate(parts, 1))]
        if sign == "not" and parts:
            return [sign, self._condition(parts[-1], f"{where}[{len(parts)}]")]
        if sign and sign in _MOMENTS and len(parts) == 2:
            return self._comparison(sign, parts[0], parts[1], where)
        raise self._wrong(where, "a condition is a path, or [:and …], [:or …], [:not C], [:= PATH VALUE] and the like")

    def _comparison(self, sign: str, path: Any, value: Any, where: str) -> list[Any]:
        if not isinstance(path, str):
            raise self._wrong(where, "Variable in comparison condition must be a string")
        if isinstance(value, date):
            return [_MOMENTS[sign], path, moment(value)]
        if type(value) not in {int, float, str}:
            raise self._wrong(where, "Invalid value type in comparison condition: a text, a number or an #inst")
        return [sign, path, value]

    def _fields(self, value: Any, where: str) -> dict[str, Any]:
        return {key(one): inner for one, inner in self._map(value, where).items()}

    def _map(self, value: Any, where: str) -> Mapping[Any, Any]:
        if isinstance(value, Mapping):
            return value
        raise self._wrong(where, "there is no map here")

    def _list(self, value: Any, where: str) -> Collection[Any]:
        if isinstance(value, Sequence | AbstractSet) and not isinstance(value, str):
            return value
        raise self._wrong(where, "there is no vector here")

    def _wrong(self, where: str, message: str) -> UsageError:
        return UsageError(f"{self._name}: {where.rstrip('.') or 'as a whole'}: {message}")


def _snake(name: str) -> str:
    return name.replace("-", "_")


def _name(value: Any, where: str) -> str:
    """A keyword or text as Stepwise wrote names: every slash is two underscores."""
    found = keyword(value)
    if found is None and not isinstance(value, str):
        raise UsageError(f"{where}: {value} is no name: write a keyword or a text")
    return (found if found is not None else str(value)).replace("/", "__")
