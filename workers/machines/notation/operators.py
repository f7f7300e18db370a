"""Conditions as Python expressions: `(var("$.age") >= 18) & ~var("$.blocked")`."""

from dataclasses import dataclass
from typing import Any, Literal, NoReturn

from workers.errors import UsageError

Kind = Literal["string", "numeric", "boolean", "timestamp"]


@dataclass(frozen=True, slots=True)
class Condition:
    """A condition; `notation` is the same as a list. Joined by `&`, `|` and `~`."""

    notation: Any

    def __and__(self, other: "Condition") -> "Condition":
        return _joined("and", self, other)

    def __or__(self, other: "Condition") -> "Condition":
        return _joined("or", self, other)

    def __invert__(self) -> "Condition":
        return Condition(["not", self.notation])

    def __bool__(self) -> NoReturn:
        raise UsageError("a condition is not true or false in Python: join conditions with &, | and ~, in parentheses")


def _joined(operator: str, left: Condition, right: Condition) -> Condition:
    parts: list[Any] = []
    for side in (left.notation, right.notation):
        flat = isinstance(side, list) and side[0] == operator
        parts.extend(side[1:] if flat else [side])
    return Condition([operator, *parts])


class Variable(Condition):
    """The value at a path; on its own, the condition that it is `true`. Made by `var()`."""

    __slots__ = ("kind",)

    def __init__(self, path: str, kind: Kind | None = None) -> None:
        super().__init__(path)
        object.__setattr__(self, "kind", kind)

    kind: Kind | None

    __hash__ = Condition.__hash__

    def __eq__(self, other: object) -> Condition:  # type: ignore[override]
        return self._compare("=", "equals", other)

    def __ne__(self, other: object) -> Condition:  # type: ignore[override]
        return ~self._compare("=", "equals", other)

    def __lt__(self, other: object) -> Condition:
        return self._compare("<", "less_than", other)

    def __le__(self, other: object) -> Condition:
        return self._compare("<=", "less_than_equals", other)

    def __gt__(self, other: object) -> Condition:
        return self._compare(">", "greater_than", other)

    def __ge__(self, other: object) -> Condition:
        return self._compare(">=", "greater_than_equals", other)

    def matches(self, pattern: str) -> Condition:
        """Whether it is text like `pattern`, in which `*` stands for any characters."""
        return Condition(["string_matches", self.notation, pattern])

    def is_present(self) -> Condition:
        """Whether there is a value at all, be it null."""
        return Condition(["is_present", self.notation])

    def is_null(self) -> Condition:
        """Whether it is null."""
        return Condition(["is_null", self.notation])

    def is_string(self) -> Condition:
        """Whether it is text."""
        return Condition(["is_string", self.notation])

    def is_numeric(self) -> Condition:
        """Whether it is a number."""
        return Condition(["is_numeric", self.notation])

    def is_boolean(self) -> Condition:
        """Whether it is true or false."""
        return Condition(["is_boolean", self.notation])

    def is_timestamp(self) -> Condition:
        """Whether it is text that names a moment."""
        return Condition(["is_timestamp", self.notation])

    def _compare(self, symbol: str, word: str, other: object) -> Condition:
        if not isinstance(other, Variable):
            return Condition([symbol, self.notation, other])
        if not (kind := self.kind or other.kind):
            raise UsageError(
                f"{self.notation} {symbol} {other.notation} compares two paths, and Step Functions has to know what "
                'they lead to: var(path, kind="numeric"), "string", "timestamp" or "boolean"'
            )
        return Condition([f"{kind}_{word}_path", self.notation, other.notation])


def var(path: str, *, kind: Kind | None = None) -> Variable:
    """The value at `path`, to be compared: `var("$.value") >= 20`, `var("$.name") == "x"`.

    Compared with another `var`, one of the two needs a `kind`. On its own it is true when the value is `true`.
    """
    return Variable(path, kind)
