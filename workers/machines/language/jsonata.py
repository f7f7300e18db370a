"""JSONata in definitions: `{% $states.input.total > 3 %}`.

Syntax is checked with jsonata-python where it is installed (the `local` extra); what Step Functions adds and takes
away (developer guide, "Transforming data with JSONata") is checked always.
"""

import re
import sys
from functools import cache, lru_cache
from importlib.util import find_spec
from threading import Lock
from typing import Any

from workers.machines.language.jsonata_messages import faults, message
from workers.machines.language.references import bare_names
from workers.machines.language.scanner import ExpressionError

_RESERVED = re.compile(r"\$states\.(\w+)")
_STATES_FIELDS = ("context", "errorOutput", "input", "result")
_STRING_OR_COMMENT = re.compile(r"""("(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|/\*.*?\*/)""", re.DOTALL)
_EVAL = re.compile(r"\$eval\s*\(")


def is_expression(value: object) -> bool:
    """Whether `value` is a string between `{%` and `%}`."""
    return isinstance(value, str) and value.startswith("{%") and value.endswith("%}") and len(value) >= 4


def looks_like_expression(value: str) -> bool:
    """Whether `value` has only one of the two delimiters, or spaces outside of them: a slip of the pen."""
    stripped = value.strip()
    return not is_expression(value) and (stripped.startswith("{%") or stripped.endswith("%}"))


def body(expression: str) -> str:
    """The JSONata between the delimiters."""
    return expression[2:-2].strip()


@lru_cache(maxsize=4096)
def check_expression(expression: str) -> None:
    """Raises `ExpressionError` for an expression, given with its delimiters, that Step Functions would refuse."""
    if not (code := body(expression)):
        raise ExpressionError("there is nothing between {% and %}", 2)
    before = expression.index(code, 2)
    bare = _STRING_OR_COMMENT.sub(lambda found: " " * len(found.group()), code)
    for used in _RESERVED.finditer(bare):
        if used[1] not in _STATES_FIELDS:
            known = ", ".join(f"$states.{name}" for name in _STATES_FIELDS)
            raise ExpressionError(f"there is no $states.{used[1]}, only {known}", before + used.start())
    if _can_parse():
        _parse(code, before)


def calls_eval(expression: str) -> bool:
    """Whether an expression calls $eval, which Step Functions accepts and does not have: it fails when it runs."""
    return bool(_EVAL.search(_STRING_OR_COMMENT.sub("", body(expression))))


@lru_cache(maxsize=4096)
def names_without_context(expression: str) -> tuple[str, ...]:
    """The bare names at the top level of an expression; () for one that cannot be parsed."""
    if not _can_parse():
        return ()
    try:
        return tuple(dict.fromkeys(bare_names(_parse(body(expression), 0))))
    except (ExpressionError, RecursionError):
        return ()


def _parse(code: str, before: int) -> Any:
    with _PARSING:
        parser, refused = _parser()
        try:
            with faults(refused):
                return parser.parse(code)
        except refused as error:
            at, why = getattr(error, "location", None) or 1, message(error).partition(": ")[2]
            raise ExpressionError(f"it is not JSONata: {why}", before + max(0, at - 1)) from None
        except RecursionError:
            raise ExpressionError("it is nested too deeply", before) from None


@cache
def _can_parse() -> bool:
    return find_spec("jsonata") is not None


_PARSING = Lock()


@cache
def _parser() -> tuple[Any, type[Exception]]:
    """One parser for all expressions, and what it raises. It keeps state, and is slower to make than to use."""
    limit = sys.getrecursionlimit()
    try:
        from jsonata.jexception import JException
        from jsonata.parser import Parser
    finally:
        sys.setrecursionlimit(limit)  # the package sets its own for the whole process when it is imported
    return Parser(), JException
