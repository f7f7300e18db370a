"""What each kind of field may hold."""

import re
from collections.abc import Callable
from typing import Any

from workers.machines.language.intrinsics import is_call
from workers.machines.model import kinds
from workers.machines.validation.expressions import (
    is_placeholder,
    judge_call,
    judge_expression,
    judge_moment,
    judge_path,
)
from workers.machines.validation.place import At, described
from workers.machines.validation.templates import check_template, check_variables

_ARN = re.compile(r"arn:[\w-]+:[\w-]+:[\w-]*:\d*:.+")


def check_value(kind: kinds.Kind, value: Any, at: At) -> None:
    """Judges the `value` of a field of the given kind, which stands at `at`."""
    _CHECKS[type(kind)](kind, value, at)


def check_text(value: Any, at: At, what: str = "text") -> bool:
    """Whether `value` is text; reported if not."""
    if isinstance(value, str):
        return True
    at.error("wrong-type", f"must be {what}, found {described(value)}")
    return False


def _text(kind: kinds.Text, value: Any, at: At) -> None:
    if check_text(value, at) and kind.expression:
        judge_expression(value, at)


def _flag(_: kinds.Flag, value: Any, at: At) -> None:
    if not isinstance(value, bool):
        at.error("wrong-type", f"must be true or false, found {described(value)}")


def _number(kind: kinds.Whole | kinds.Number, value: Any, at: At) -> None:
    whole = isinstance(kind, kinds.Whole)
    if is_placeholder(value) or (kind.expression and judge_expression(value, at)):
        return
    if isinstance(value, bool) or not isinstance(value, int if whole else int | float):
        also = " or a {% JSONata expression %}" if kind.expression and at.jsonata else ""
        at.error("wrong-type", f"must be a {'whole ' * whole}number{also}, found {described(value)}")
    elif value < kind.least:
        at.error("out-of-range", f"must be at least {kind.least}, found {value}")
    elif value > kind.most:
        at.error("out-of-range", f"must be at most {kind.most}, found {value}")


def _one_of(kind: kinds.OneOf, value: Any, at: At) -> None:
    if check_text(value, at) and value not in kind.words and not is_placeholder(value):
        at.error("bad-value", f"must be one of {', '.join(kind.words)}, found {value!r}")


def _timestamp(_: kinds.Timestamp, value: Any, at: At) -> None:
    if check_text(value, at) and not is_placeholder(value) and not judge_expression(value, at):
        judge_moment(value, at)


def _path(kind: kinds.PathTo, value: Any, at: At) -> None:
    if (value is None and kind.null) or is_placeholder(value):
        return
    if not check_text(value, at, "a path or null" if kind.null else "a path"):
        return
    if is_call(value) and kind.call:
        judge_call(value, at)
        return
    judge_path(value, at, reference=kind.reference, context=kind.context)


def _template(kind: kinds.Template, value: Any, at: At) -> None:
    if judge_expression(value, at):
        return
    if kind.shape == "object" and not isinstance(value, dict):
        also = " or a {% JSONata expression %}" if at.jsonata else ""
        at.error("wrong-type", f"must be an object{also}, found {described(value)}")
    elif kind.shape == "array" and not isinstance(value, list | dict):
        at.error("wrong-type", f"must be a list or a {{% JSONata expression %}}, found {described(value)}")
    else:
        check_template(value, at)


def _variables(_: kinds.Variables, value: Any, at: At) -> None:
    if isinstance(value, dict):
        check_variables(value, at)
    else:
        at.error("wrong-type", f"must be an object of variables and their values, found {described(value)}")


def _resource(_: kinds.Resource, value: Any, at: At) -> None:
    if check_text(value, at, "an ARN") and not _ARN.fullmatch(value) and not is_placeholder(value):
        at.error("bad-resource", f"must be an ARN, found {value!r}")


def _target(_: kinds.Target, value: Any, at: At) -> None:
    check_text(value, at, "the name of a state")


def _texts(kind: kinds.Texts | kinds.ErrorNames, value: Any, at: At) -> None:
    what = "error names" if isinstance(kind, kinds.ErrorNames) else "texts"
    if not isinstance(value, list):
        at.error("wrong-type", f"must be a list of {what}, found {described(value)}")
    elif not value:
        at.error("empty", f"must have at least one of the {what}")
    else:
        for index, one in enumerate(value):
            check_text(one, at.into(index))


def _anything(_: kinds.Kind, __: Any, ___: At) -> None:
    return


_CHECKS: dict[type[kinds.Kind], Callable[[Any, Any, At], None]] = {
    kinds.Constant: _anything,
    kinds.ErrorNames: _texts,
    kinds.Flag: _flag,
    kinds.Nested: _anything,
    kinds.Number: _number,
    kinds.OneOf: _one_of,
    kinds.PathTo: _path,
    kinds.Resource: _resource,
    kinds.Target: _target,
    kinds.Template: _template,
    kinds.Text: _text,
    kinds.Texts: _texts,
    kinds.Timestamp: _timestamp,
    kinds.Variables: _variables,
    kinds.Whole: _number,
}
