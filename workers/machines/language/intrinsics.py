"""Intrinsic functions: `States.Format('{} of {}', $.done, $.total)`.

Names, argument counts and the limit of ten nested calls: Step Functions developer guide, "Intrinsic functions".
"""

import math
import re
from dataclasses import dataclass
from functools import lru_cache

from workers.machines.language.paths import Path, read_path
from workers.machines.language.scanner import ExpressionError, Scanner, shallow

NESTING_LIMIT = 10

_ARGUMENTS: dict[str, tuple[int, float]] = {
    "States.Array": (0, math.inf),
    "States.ArrayContains": (2, 2),
    "States.ArrayGetItem": (2, 2),
    "States.ArrayLength": (1, 1),
    "States.ArrayPartition": (2, 2),
    "States.ArrayRange": (3, 3),
    "States.ArrayUnique": (1, 1),
    "States.Base64Decode": (1, 1),
    "States.Base64Encode": (1, 1),
    "States.Format": (1, math.inf),
    "States.Hash": (2, 2),
    "States.JsonMerge": (3, 3),
    "States.JsonToString": (1, 1),
    "States.MathAdd": (2, 2),
    "States.MathRandom": (2, 3),
    "States.StringSplit": (2, 2),
    "States.StringToJson": (1, 1),
    "States.UUID": (0, 0),
}
FUNCTIONS = frozenset(_ARGUMENTS)


@dataclass(frozen=True, slots=True)
class Text:
    """A string argument. `parts` are the pieces between its `{}`; escapes are resolved."""

    parts: tuple[str, ...]

    @property
    def value(self) -> str:
        return "{}".join(self.parts)


@dataclass(frozen=True, slots=True)
class Constant:
    """A number, `true`, `false` or `null` argument."""

    value: int | float | bool | None


@dataclass(frozen=True, slots=True)
class Call:
    """A parsed call."""

    function: str
    arguments: tuple["Argument", ...]


Argument = Text | Constant | Path | Call


def is_call(text: str) -> bool:
    """Whether `text` is meant as an intrinsic function rather than as a path."""
    return text.startswith("States.")


@lru_cache(maxsize=4096)
def parse_call(text: str) -> Call:
    """The intrinsic function call written in `text`. Raises `ExpressionError`."""
    scanner = Scanner(text)
    with shallow():
        call = _call(scanner, 1)
    scanner.spaces()
    if not scanner.done():
        raise scanner.fault(f"nothing can follow the call, found {scanner.found()}")
    return call


_NAME = re.compile(r"States\.\w+")
_NUMBER = re.compile(r"-?\d{1,300}(?:\.\d+)?(?:[eE][+-]?\d+)?")
_WORD = re.compile(r"true|false|null")
_CONSTANTS = {"true": True, "false": False, "null": None}


def _call(scanner: Scanner, depth: int) -> Call:
    opened = scanner.at
    name = scanner.match(_NAME)
    if name not in _ARGUMENTS:
        raise ExpressionError(f"there is no intrinsic function {name or scanner.found()}", opened)
    if depth > NESTING_LIMIT:
        raise ExpressionError(f"more than {NESTING_LIMIT} intrinsic functions are nested", opened)
    arguments = _arguments(scanner, depth)
    least, most = _ARGUMENTS[name]
    if not least <= len(arguments) <= most:
        raise ExpressionError(f"{name} takes {_count(least, most)}, found {len(arguments)}", opened)
    if name == "States.Format" and isinstance(template := arguments[0], Text):
        holes = len(template.parts) - 1
        if holes != len(arguments) - 1:
            raise ExpressionError(f"the template has {holes} {{}}, but {len(arguments) - 1} values follow it", opened)
    return Call(name, arguments)


def _count(least: int, most: float) -> str:
    if most == math.inf:
        return f"{least} or more arguments"
    return f"{least} argument{'s' * (least != 1)}" if least == most else f"{least} to {most} arguments"


def _arguments(scanner: Scanner, depth: int) -> tuple[Argument, ...]:
    scanner.spaces()
    scanner.need("(")
    scanner.spaces()
    arguments: list[Argument] = []
    while not scanner.take(")"):
        if arguments:
            scanner.need(",")
            scanner.spaces()
        arguments.append(_argument(scanner, depth))
        scanner.spaces()
    return tuple(arguments)


def _argument(scanner: Scanner, depth: int) -> Argument:
    if scanner.peek("'"):
        return _text(scanner)
    if scanner.peek("$"):
        return read_path(scanner)
    if scanner.peek("States."):
        return _call(scanner, depth + 1)
    if number := scanner.match(_NUMBER):
        return Constant(float(number) if set(number) & set(".eE") else int(number))
    if word := scanner.match(_WORD):
        return Constant(_CONSTANTS[word])
    raise scanner.fault(f"expected a path, a 'string', a number or a function, found {scanner.found()}")


def _text(scanner: Scanner) -> Text:
    """A string in single quotes, in which `\\` escapes `'`, `{`, `}` and itself."""
    opened = scanner.at
    scanner.need("'")
    parts = [""]
    while not scanner.done():
        if scanner.take("'"):
            return Text(tuple(parts))
        if scanner.take("{}"):
            parts.append("")
            continue
        if scanner.take("\\") and scanner.done():
            break
        parts[-1] += scanner.text[scanner.at]
        scanner.at += 1
    raise ExpressionError("the ' that opens here is never closed", opened)
