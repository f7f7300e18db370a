"""The rules of a Choice's conditions."""

import re
from typing import Any

from workers.machines.language.jsonata import is_expression
from workers.machines.model.conditions import COMPARATORS, CONDITION_KEYS, VALUE_COMPARATORS, Family
from workers.machines.validation.expressions import (
    is_placeholder,
    judge_expression,
    judge_moment,
    judge_path,
    key_suggestion,
)
from workers.machines.validation.place import At, described

_PATH_LIKE = re.compile(r"\$\$?\..+")
_WORDS = {
    Family.BOOLEAN: "true or false",
    Family.NUMERIC: "a number",
    Family.STRING: "text",
}
_TYPES = {Family.BOOLEAN: bool, Family.NUMERIC: int | float, Family.STRING: str}


def check_condition(data: dict[str, Any], at: At, *, beside: frozenset[str] = frozenset()) -> None:
    """Judges the condition whose keys stand in `data`; keys `beside` are not the condition's."""
    if at.jsonata:
        _check_expression(data, at)
        return
    operators = [key for key in data if key in CONDITION_KEYS and key != "Variable"]
    if "Condition" in data:
        at.error("wrong-language", "`Condition` exists in JSONata only: compare a `Variable`", "Condition")
    elif len(operators) != 1:
        found = f"found {', '.join(f'`{key}`' for key in operators)}" if operators else "found none"
        at.error("bad-condition", f"a condition has one comparison, or `And`, `Or` or `Not`: {found}")
    else:
        _operator(operators[0], data, at)
    for key in data:
        if key not in CONDITION_KEYS | beside | {"Comment"}:
            at.error("unknown-key", f"a condition has no key {key!r}{key_suggestion(key, CONDITION_KEYS)}", key)


def _check_expression(data: dict[str, Any], at: At) -> None:
    others = [key for key in data if key in CONDITION_KEYS and key != "Condition"]
    if others:
        message = f"`{others[0]}` exists in JSONPath only: write a `Condition` in JSONata"
        at.error("wrong-language", message, others[0])
        return
    condition = data.get("Condition")
    if "Condition" not in data:
        at.error("missing-key", "`Condition` is missing: write {% a JSONata expression %}")
    elif not isinstance(condition, bool) and not judge_expression(condition, at.into("Condition")):
        found = described(condition)
        at.error("bad-condition", f"must be a {{% JSONata expression %}}, true or false, found {found}", "Condition")


def _operator(key: str, data: dict[str, Any], at: At) -> None:
    value = data[key]
    if key in COMPARATORS:
        _comparison(key, data, at)
    elif "Variable" in data:
        at.error("bad-condition", f"`Variable` cannot stand beside `{key}`: put it inside", "Variable")
    elif key == "Not":
        _inner(value, at.into(key))
    elif not isinstance(value, list):
        at.error("wrong-type", f"must be a list of conditions, found {described(value)}", key)
    elif not value:
        at.error("empty", "must have at least one condition", key)
    else:
        for index, one in enumerate(value):
            _inner(one, at.into(key, index))


def _inner(data: Any, at: At) -> None:
    if not isinstance(data, dict):
        at.error("wrong-type", f"must be a condition, found {described(data)}")
        return
    if "Next" in data:
        at.error("misplaced-key", "only the rule itself has `Next`, not a condition inside of it", "Next")
    if not isinstance(comment := data.get("Comment", ""), str):
        at.error("wrong-type", f"must be text, found {described(comment)}", "Comment")
    check_condition(data, at, beside=frozenset({"Next"}))


def _comparison(key: str, data: dict[str, Any], at: At) -> None:
    variable, value = data.get("Variable"), data[key]
    if "Variable" not in data:
        at.error("missing-key", f"`Variable` is missing: the path of what `{key}` compares")
    elif not isinstance(variable, str):
        at.error("wrong-type", f"must be a path, found {described(variable)}", "Variable")
    elif not is_placeholder(variable):
        judge_path(variable, at.into("Variable"))
    if key not in VALUE_COMPARATORS:
        _compared_path(value, at.into(key))
    elif not is_placeholder(value):
        _compared_value(key, value, at.into(key))


def _compared_path(value: Any, at: At) -> None:
    if not isinstance(value, str):
        at.error("wrong-type", f"must be a path, found {described(value)}")
    elif not is_placeholder(value):
        judge_path(value, at)


def _compared_value(key: str, value: Any, at: At) -> None:
    family = VALUE_COMPARATORS[key]
    if family is Family.TIMESTAMP:
        judge_moment(value, at)
        return
    if not isinstance(value, _TYPES[family]) or (family is Family.NUMERIC and isinstance(value, bool)):
        at.error("wrong-type", f"`{key}` compares with {_WORDS[family]}, found {described(value)}")
    elif isinstance(value, str) and _PATH_LIKE.fullmatch(value):
        at.warning("no-effect", f"compares with the text {value!r}: with what stands there, `{key}Path` compares")
    elif is_expression(value):
        at.warning("no-effect", "JSONata is not computed here: give the state `QueryLanguage` JSONata")
