"""JSONPath as Step Functions reads it: `$` is the data, `$$` the context object, `$name` a variable.

The dialect is Jayway's (Step Functions developer guide, "Paths"): members, indexes, slices, wildcards, unions, deep
scans, filters and trailing functions. A *reference path* names exactly one place: members and single indexes only
(Amazon States Language specification, "Reference Paths").
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from workers.machines.language.scanner import ExpressionError, Scanner, shallow


@dataclass(frozen=True, slots=True)
class Member:
    """`.name` or `['name']`."""

    name: str


@dataclass(frozen=True, slots=True)
class Index:
    """`[0]`; negative counts from the end."""

    index: int


@dataclass(frozen=True, slots=True)
class Slice:
    """`[start:stop:step]`, each of which may be missing."""

    start: int | None
    stop: int | None
    step: int | None


@dataclass(frozen=True, slots=True)
class Union:
    """`['a','b']` or `[0,2]`."""

    parts: tuple[Member, ...] | tuple[Index, ...]


@dataclass(frozen=True, slots=True)
class Wildcard:
    """`.*` or `[*]`."""


@dataclass(frozen=True, slots=True)
class Descent:
    """`..`: what follows is looked for at every depth."""


@dataclass(frozen=True, slots=True)
class Filter:
    """`[?(…)]`."""

    test: "Test"


@dataclass(frozen=True, slots=True)
class Function:
    """`.length()`, at the end of a path."""

    name: str


@dataclass(frozen=True, slots=True)
class Literal:
    """A constant in a filter: JSON's scalars, a list of them, or a regular expression between slashes."""

    value: Any


@dataclass(frozen=True, slots=True)
class Comparison:
    """`left operator right` in a filter; without an operator: whether `left` exists."""

    left: "Path | Literal"
    operator: str | None = None
    right: "Path | Literal | None" = None


@dataclass(frozen=True, slots=True)
class Logic:
    """`!a`, `a && b`, `a || b` in a filter."""

    operator: str
    parts: tuple["Test", ...]


Test = Comparison | Logic
Step = Member | Index | Slice | Union | Wildcard | Descent | Filter | Function


@dataclass(frozen=True, slots=True)
class Path:
    """A parsed path."""

    text: str
    root: str
    """`$` the data, `$$` the context object, `@` the item a filter looks at, else the name of a variable."""
    steps: tuple[Step, ...]

    @property
    def definite(self) -> bool:
        """Whether it names at most one value; an indefinite path gives a list of all it finds."""
        return all(isinstance(step, Member | Index) for step in self.steps)

    @property
    def reference(self) -> bool:
        """Whether it is a reference path, into the data or a variable."""
        return self.definite and self.root not in {"$$", "@"}


@lru_cache(maxsize=4096)
def parse_path(text: str) -> Path:
    """The path written in `text`. Raises `ExpressionError`."""
    if _PLAIN.fullmatch(text):
        return Path(text, "$", tuple(map(Member, text.split(".")[1:])))
    scanner = Scanner(text)
    with shallow():
        path = read_path(scanner)
    if not scanner.done():
        raise scanner.fault(f"a path cannot go on with {scanner.found()}")
    return path


_PLAIN = re.compile(r"\$(?:\.\w+)*")
"""What most paths look like; taking them apart needs no scanner."""
_ROOT = re.compile(r"\$\$|\$[^\W\d]\w*|\$")
_NAME = re.compile(r"""[^\s.\[\](){}'"*?,]+""")
_NAME_IN_FILTER = re.compile(r"""[^\s.\[\](){}'"*?,=!<>&|~]+""")
_WHOLE = re.compile(r"-?\d{1,18}")
_NUMBER = re.compile(r"-?\d{1,18}(?:\.\d+)?(?:[eE][+-]?\d+)?")
_WORD = re.compile(r"[A-Za-z]+")
_REGEX = re.compile(r"/(?:\\.|[^/\\])*/[a-z]*")
_OPERATOR = re.compile(r"==|!=|<=|>=|=~|<|>|(?:in|nin|subsetof|anyof|noneof|size|empty|contains)\b")
_FUNCTIONS = {"min", "max", "avg", "stddev", "length", "sum", "keys", "concat", "append", "first", "last", "index"}
_CONSTANTS = {"true": True, "false": False, "null": None}


def read_path(scanner: Scanner, *, in_filter: bool = False) -> Path:
    """Reads a path from where `scanner` stands to its natural end."""
    opened = scanner.at
    root = "@" if in_filter and scanner.take("@") else scanner.match(_ROOT)
    if not root:
        raise scanner.fault(f"a path starts with $, found {scanner.found()}")
    steps: list[Step] = []
    while step := _step(scanner, _NAME_IN_FILTER if in_filter else _NAME):
        if steps and isinstance(steps[-1], Function):
            raise scanner.fault("nothing can follow a function")
        steps.append(step)
    if steps and isinstance(steps[-1], Descent):
        raise scanner.fault("'..' needs a name after it")
    variable = root if root in {"$", "$$", "@"} else root[1:]
    return Path(scanner.text[opened : scanner.at], variable, tuple(steps))


def _step(scanner: Scanner, names: re.Pattern[str]) -> Step | None:
    if scanner.take(".."):
        if not scanner.peek("["):
            scanner.at -= 1  # the name that follows is a step of its own: `..a` is a descent and then `.a`
        return Descent()
    if scanner.take("."):
        return _dotted(scanner, names)
    return _bracket(scanner) if scanner.take("[") else None


def _dotted(scanner: Scanner, names: re.Pattern[str]) -> Step:
    if scanner.take("*"):
        return Wildcard()
    if scanner.peek("["):
        raise scanner.fault("'.[' is not a path: leave the dot out")
    opened = scanner.at
    if not (name := scanner.match(names)):
        raise scanner.fault(f"'.' needs a name after it, found {scanner.found()}")
    if not scanner.take("("):
        return Member(name)
    scanner.need(")")
    if name not in _FUNCTIONS:
        raise ExpressionError(f"there is no function {name}()", opened)
    return Function(name)


def _bracket(scanner: Scanner) -> Step:
    scanner.spaces()
    step: Step
    if scanner.take("*"):
        step = Wildcard()
    elif scanner.take("?"):
        scanner.need("(")
        step = Filter(_any_of(scanner))
        scanner.spaces()
        scanner.need(")")
    elif scanner.peek("'") or scanner.peek('"'):
        step = _members(scanner)
    else:
        step = _indexes(scanner)
    scanner.spaces()
    scanner.need("]")
    return step


def _members(scanner: Scanner) -> Step:
    members = [Member(scanner.quoted())]
    while _comma(scanner):
        if not (scanner.peek("'") or scanner.peek('"')):
            raise scanner.fault(f"expected a quoted name, found {scanner.found()}")
        members.append(Member(scanner.quoted()))
    return members[0] if len(members) == 1 else Union(tuple(members))


def _indexes(scanner: Scanner) -> Step:
    first = _whole(scanner)
    if scanner.take(":"):
        stop = _whole(scanner)
        return Slice(first, stop, _whole(scanner) if scanner.take(":") else None)
    if first is None:
        raise scanner.fault(f"expected an index, a quoted name, * or a filter, found {scanner.found()}")
    indexes = [Index(first)]
    while _comma(scanner):
        if (index := _whole(scanner)) is None:
            raise scanner.fault(f"expected an index, found {scanner.found()}")
        indexes.append(Index(index))
    return indexes[0] if len(indexes) == 1 else Union(tuple(indexes))


def _whole(scanner: Scanner) -> int | None:
    scanner.spaces()
    digits = scanner.match(_WHOLE)
    scanner.spaces()
    return None if digits is None else int(digits)


def _comma(scanner: Scanner) -> bool:
    scanner.spaces()
    taken = scanner.take(",")
    scanner.spaces()
    return taken


def _any_of(scanner: Scanner) -> Test:
    return _joined(scanner, "||", _all_of)


def _all_of(scanner: Scanner) -> Test:
    return _joined(scanner, "&&", _test)


def _joined(scanner: Scanner, operator: str, part: Callable[[Scanner], Test]) -> Test:
    parts = [part(scanner)]
    scanner.spaces()
    while scanner.take(operator):
        parts.append(part(scanner))
        scanner.spaces()
    return parts[0] if len(parts) == 1 else Logic(operator, tuple(parts))


def _test(scanner: Scanner) -> Test:
    scanner.spaces()
    if scanner.take("!"):
        return Logic("!", (_test(scanner),))
    if scanner.take("("):
        test = _any_of(scanner)
        scanner.spaces()
        scanner.need(")")
        return test
    left = _operand(scanner)
    scanner.spaces()
    if not (operator := scanner.match(_OPERATOR)):
        return Comparison(left)
    scanner.spaces()
    return Comparison(left, operator, _operand(scanner))


def _operand(scanner: Scanner) -> Path | Literal:
    if scanner.peek("@") or scanner.peek("$"):
        return read_path(scanner, in_filter=True)
    if scanner.peek("'") or scanner.peek('"'):
        return Literal(scanner.quoted())
    if regex := scanner.match(_REGEX):
        return Literal(regex)
    if number := scanner.match(_NUMBER):
        return Literal(float(number) if set(number) & set(".eE") else int(number))
    if scanner.take("["):
        return Literal(_list(scanner))
    opened = scanner.at
    if (word := scanner.match(_WORD)) not in _CONSTANTS:
        raise ExpressionError(
            f"expected a path or a value, found {scanner.text[opened : opened + 1] or 'the end'!r}", opened
        )
    return Literal(_CONSTANTS[word])


def _list(scanner: Scanner) -> tuple[Any, ...]:
    values: list[Any] = []
    scanner.spaces()
    while not scanner.take("]"):
        operand = _operand(scanner)
        if isinstance(operand, Path):
            raise scanner.fault("a list in a filter holds constants only")
        values.append(operand.value)
        if not _comma(scanner) and not scanner.peek("]"):
            raise scanner.fault(f"expected , or ], found {scanner.found()}")
    return tuple(values)
