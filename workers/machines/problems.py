"""Problems of a definition: what is wrong, where, and what to do."""

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from workers.errors import UsageError

Where = tuple[str | int, ...]
"""The keys and indexes that lead to a place in a definition."""


class Severity(StrEnum):
    """Whether a definition can be used in spite of a problem."""

    ERROR = "error"
    """AWS would refuse the definition, or it could never work."""
    WARNING = "warning"
    """It works, and will hurt some day."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong with a definition."""

    code: str
    """A stable name of the rule that is broken, such as `missing-target`."""
    path: str
    """Where, in the writer's own keys: `states.Add.retry[0].error_equals`. Empty: the definition as a whole."""
    line: int | None
    """The line in the file, from 1; None for Python data and for the definition as a whole."""
    message: str
    """What is wrong and what to do."""
    severity: Severity = Severity.ERROR

    def __str__(self) -> str:
        place = f"line {self.line}: " if self.line else ""
        warning = "warning: " if self.severity is Severity.WARNING else ""
        return f"{place}{self.path or 'the definition'}: {warning}{self.message} [{self.code}]"


@dataclass(frozen=True, slots=True)
class Finding:
    """A problem as a rule finds it: the place is still a chain of keys."""

    code: str
    where: Where
    message: str
    severity: Severity = Severity.ERROR


class InvalidDefinitionError(UsageError):
    """A definition with problems was to be used. `problems` has them all, warnings too."""

    def __init__(self, name: str, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        errors = [problem for problem in self.problems if problem.severity is Severity.ERROR]
        count = "1 problem" if len(errors) == 1 else f"{len(errors)} problems"
        super().__init__("\n".join([f"{name} has {count}:", *(f"  {problem}" for problem in errors)]))


_PLAIN = re.compile(r"[\w.$-]+")


def path_text(where: Where) -> str:
    """`where` as people read it: `states.Add.retry[0]`, with names that hold other signs in `["…"]`."""
    text = ""
    for key in where:
        if isinstance(key, int):
            text += f"[{key}]"
        elif _PLAIN.fullmatch(key):
            text += f".{key}" if text else key
        else:
            text += f"[{json.dumps(key, ensure_ascii=False)}]"
    return text
