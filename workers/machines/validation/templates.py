"""Free JSON in which expressions stand: Parameters, Arguments, Output, Assign and their like."""

import re
from typing import Any

from workers.machines.language.intrinsics import is_call
from workers.machines.language.jsonata import is_expression
from workers.machines.validation.expressions import is_placeholder, judge_call, judge_expression, judge_path
from workers.machines.validation.place import At, described

_VARIABLE = re.compile(r"[^\W\d]\w*")
_VARIABLE_LIMIT = 80
_LOOKS_LIKE_A_PATH = re.compile(r"\$\$?[.\[].*")


def check_template(value: Any, at: At) -> None:
    """Judges the expressions in `value`, however deep."""
    if isinstance(value, dict):
        for key, member in value.items():
            _member(key, member, value, at.into(key))
    elif isinstance(value, list):
        for index, one in enumerate(value):
            check_template(one, at.into(index))
    elif isinstance(value, str):
        judge_expression(value, at)


def check_variables(value: dict[str, Any], at: At) -> None:
    """Judges the names and the values that a state assigns (developer guide, "Variables")."""
    for key in value:
        name = key if at.jsonata else key.removesuffix(".$")
        if name == "states":
            at.error("reserved-name", "the variable `$states` belongs to Step Functions: take another name", key)
        elif not _VARIABLE.fullmatch(name):
            at.error("bad-name", f"{name!r} is no name of a variable: letters, digits and _, no digit first", key)
        elif len(name) > _VARIABLE_LIMIT:
            at.error("bad-name", f"the name has {len(name)} characters: AWS allows {_VARIABLE_LIMIT}", key)
        elif name in at.variables:
            at.warning("shadowed", f"a state around this one assigns ${name} too, and only it can: rename one", key)
    check_template(value, at)


def check_static(value: Any, at: At) -> None:
    """Warns of expressions in JSON that is taken as it is."""
    if isinstance(value, dict):
        for key, member in value.items():
            if key.endswith(".$"):
                at.warning("static", "`Result` is taken as it is: compute values in `Parameters`", key)
            else:
                check_static(member, at.into(key))
    elif isinstance(value, list):
        for index, one in enumerate(value):
            check_static(one, at.into(index))
    elif isinstance(value, str) and _looks_computed(value):
        at.warning("static", f"the text {value!r} is taken as it is: compute values in `Parameters`")


def _looks_computed(value: str) -> bool:
    return is_call(value) or _LOOKS_LIKE_A_PATH.fullmatch(value) is not None


def _member(key: str, value: Any, around: dict[str, Any], at: At) -> None:
    if at.jsonata:
        if key.endswith(".$"):
            at.warning("no-effect", f"JSONata knows no keys with .$: write {key.removesuffix('.$')!r} and {{% … %}}")
        check_template(value, at)
    elif key.endswith(".$"):
        _computed(key, value, around, at)
    elif isinstance(value, str):
        _literal(key, value, at)
    else:
        check_template(value, at)


def _computed(key: str, value: Any, around: dict[str, Any], at: At) -> None:
    if key.removesuffix(".$") in around:
        at.error("conflict", f"{key.removesuffix('.$')!r} is given twice, with .$ and without")
    if not isinstance(value, str):
        at.error("bad-path", f"a key that ends in .$ has a path or an intrinsic function, found {described(value)}")
    elif is_placeholder(value):
        return
    elif is_call(value):
        judge_call(value, at)
    else:
        judge_path(value, at)


def _literal(key: str, value: str, at: At) -> None:
    if _looks_computed(value):
        at.warning("no-effect", f"the text {value!r} is taken as it is: to compute it, write the key as {key + '.$'!r}")
    elif is_expression(value):
        at.warning("no-effect", "JSONata is not computed here: give the state `QueryLanguage` JSONata")
