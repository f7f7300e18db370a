"""What an expression can see."""

import json
from collections.abc import Callable, Mapping
from typing import Any, Final


class Missing:
    """The type of `MISSING`."""

    def __repr__(self) -> str:
        return "MISSING"

    def __bool__(self) -> bool:
        return False


MISSING: Final = Missing()
"""Stands where JSON has no value at all, as opposed to null."""


class Scope:
    """What the expressions of one state see at one moment.

    `data`: `$` in JSONPath, `$states.input` in JSONata. `context`: `$$` and `$states.context`. `variables`: by name,
    without `$`. `result` and `error_output`: `$states.result` and `$states.errorOutput`, where there are any.
    """

    __slots__ = ("context", "data", "error_output", "result", "variables")

    def __init__(
        self,
        data: Any,
        context: dict[str, Any],
        variables: Mapping[str, Any],
        *,
        result: Any = MISSING,
        error_output: Any = MISSING,
    ) -> None:
        self.data = data
        self.context = context
        self.variables = variables
        self.result = result
        self.error_output = error_output

    def on(self, data: Any) -> "Scope":
        """The same scope with other data."""
        return Scope(data, self.context, self.variables, result=self.result, error_output=self.error_output)


Evaluate = Callable[[Scope], Any]
"""An expression or a template, compiled. Raises `EvaluationError`."""


def compact(value: Any) -> str:
    """`value` as JSON without spaces, as Step Functions writes it."""
    return _ENCODER.encode(value)


_ENCODER = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False, allow_nan=False)
