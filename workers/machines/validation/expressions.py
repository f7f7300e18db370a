"""Expressions inside a definition, judged: paths, intrinsic functions, JSONata, moments."""

import re
from collections.abc import Iterable
from datetime import datetime
from difflib import get_close_matches
from typing import Any

from workers.machines.language.intrinsics import is_call, parse_call
from workers.machines.language.jsonata import (
    calls_eval,
    check_expression,
    is_expression,
    looks_like_expression,
    names_without_context,
)
from workers.machines.language.paths import parse_path
from workers.machines.language.scanner import ExpressionError
from workers.machines.model.shapes import snake_case
from workers.machines.validation.place import At, described

_PLACEHOLDER = re.compile(r"\$\{[^}]+\}")
_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)", re.ASCII)


def is_placeholder(value: Any) -> bool:
    """Whether `value` is text that CloudFormation or Terraform will fill in: it cannot be judged before."""
    return isinstance(value, str) and bool(_PLACEHOLDER.search(value))


def suggestion(word: str, known: list[str]) -> str:
    """`, did you mean …?` where one of the known words is close."""
    close = get_close_matches(word, known, 1, 0.7)
    return f": did you mean {close[0]!r}?" if close else ""


def key_suggestion(given: str, known: Iterable[str]) -> str:
    """`, did you mean …?` where one of the known keys is close, in either spelling."""
    spelled = {snake_case(key): key for key in known}
    close = get_close_matches(snake_case(given), spelled, 1, 0.7)
    return f": did you mean `{spelled[close[0]]}`?" if close else ""


def judge_expression(value: Any, at: At) -> bool:
    """Whether `value` is, or was meant as, a JSONata expression where one may stand; judged if so."""
    if not (at.jsonata and isinstance(value, str)):
        return False
    if is_expression(value):
        try:
            check_expression(value)
        except ExpressionError as error:
            at.error("bad-expression", f"{error}, in {value!r}")
            return True
        if calls_eval(value):
            at.warning("no-eval", f"Step Functions has no $eval, and fails there: use $parse for JSON, in {value!r}")
        for name in names_without_context(value):
            instead = f"write $states.input.{name}, or ${name} for a variable, in {value!r}"
            at.error("no-context", f"{name!r} at the top level stands for nothing: {instead}")
        return True
    if looks_like_expression(value):
        at.error("bad-expression", f"an expression starts with {{% and ends with %}}, found {value!r}")
        return True
    return False


def judge_path(value: str, at: At, *, reference: bool = False, context: bool = True) -> None:
    """Judges a path. `reference`: it must lead to one place; `context`: it may lead into `$$`."""
    if is_call(value):
        at.error("bad-path", f"must be a path, found the intrinsic function {value!r}")
        return
    try:
        path = parse_path(value)
    except ExpressionError as error:
        at.error("bad-path", f"{value!r} is no path: {error}")
        return
    if path.root == "$$" and not context:
        at.error("not-a-reference-path", f"{value!r} leads into the context object, which cannot stand here")
    elif reference and not path.definite:
        at.error("not-a-reference-path", f"must lead to one place, without *, .., slices, lists and filters: {value!r}")


def judge_call(value: str, at: At) -> None:
    """Judges an intrinsic function."""
    try:
        parse_call(value)
    except ExpressionError as error:
        at.error("bad-intrinsic", f"{error}, in {value!r}")


def judge_moment(value: Any, at: At) -> None:
    """Judges a timestamp: RFC 3339, with a capital T and a zone (Amazon States Language specification)."""
    if not isinstance(value, str) or not _MOMENT.fullmatch(value) or not _exists(value):
        at.error("bad-timestamp", f"must be a moment such as 2024-03-14T01:59:00Z, found {described(value)}")


def _exists(moment: str) -> bool:
    try:
        datetime.fromisoformat(moment)
    except ValueError:
        return False
    return True
