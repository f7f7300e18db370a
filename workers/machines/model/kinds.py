"""What a field of a definition may hold, beyond its Python type.

A model field is annotated with one kind; validation judges values by it and the notation translates by it, so that
the models are the only place where the language's fields are listed. Limits: Step Functions developer guide.
"""

from dataclasses import dataclass
from typing import Literal

QueryLanguage = Literal["JSONPath", "JSONata"]

MAX_SECONDS = 99_999_999
"""The longest time a definition can name (TimeoutSeconds, IntervalSeconds, …), and the default of a task's timeout."""


@dataclass(frozen=True, slots=True)
class Only:
    """The field exists in states of one query language only."""

    language: QueryLanguage


JSONPATH = Only("JSONPath")
JSONATA = Only("JSONata")


@dataclass(frozen=True, slots=True)
class Text:
    """Any text; with `expression`, also a JSONata expression."""

    expression: bool = False


@dataclass(frozen=True, slots=True)
class Flag:
    """`true` or `false`."""


@dataclass(frozen=True, slots=True)
class Whole:
    """A whole number between two bounds; with `expression`, also a JSONata expression. `seconds`: it is a time."""

    least: int
    most: int
    expression: bool = True
    seconds: bool = False


@dataclass(frozen=True, slots=True)
class Number:
    """A number between two bounds; with `expression`, also a JSONata expression."""

    least: float
    most: float
    expression: bool = True


@dataclass(frozen=True, slots=True)
class OneOf:
    """One of a few words."""

    words: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Timestamp:
    """A moment (RFC 3339, with `T` and a zone), or a JSONata expression."""


@dataclass(frozen=True, slots=True)
class PathTo:
    """A path. `reference`: to exactly one place; `context`: also into `$$`; `null`: `null` means "nothing";
    `call`: also an intrinsic function."""

    reference: bool = False
    context: bool = True
    null: bool = False
    call: bool = False


@dataclass(frozen=True, slots=True)
class Template:
    """JSON with paths and intrinsic functions under keys that end in `.$`, or with JSONata expressions in strings.

    `shape`: `object`, `array` or `any` JSON; in JSONata, one expression may stand for it all.
    """

    shape: Literal["object", "array", "any"] = "any"


@dataclass(frozen=True, slots=True)
class Variables:
    """A template whose keys are the names of variables."""


@dataclass(frozen=True, slots=True)
class Constant:
    """Any JSON, taken as it is."""


@dataclass(frozen=True, slots=True)
class ErrorNames:
    """A list of the error names that match."""


@dataclass(frozen=True, slots=True)
class Resource:
    """The ARN of what a task calls."""


@dataclass(frozen=True, slots=True)
class Target:
    """The name of a state beside this one."""


@dataclass(frozen=True, slots=True)
class Texts:
    """A list of texts."""


@dataclass(frozen=True, slots=True)
class Nested:
    """Objects of the language: another model, or several."""


Kind = (
    Text
    | Flag
    | Whole
    | Number
    | OneOf
    | Timestamp
    | PathTo
    | Template
    | Variables
    | Constant
    | ErrorNames
    | Resource
    | Target
    | Texts
    | Nested
)
