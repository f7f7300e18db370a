"""The conditions of a Choice: every comparator."""

from typing import Any

import pytest

from tests.local.values.scopes import failure, scope
from workers.local.values.conditions import compile_condition
from workers.local.values.errors import EvaluationError
from workers.machines.model.conditions import COMPARATORS, ChoiceRule

MORNING, NOON, NOON_ELSEWHERE = "2024-03-14T08:00:00Z", "2024-03-14T12:00:00Z", "2024-03-14T14:00:00.000+02:00"
DATA = {
    "yes": True,
    "one": 1,
    "float": 1.0,
    "two": 2,
    "text": "apple",
    "later": "banana",
    "none": None,
    "morning": MORNING,
    "noon": NOON,
    "list": [],
}

ORDERS = {
    "Equals": (False, True, False),
    "LessThan": (True, False, False),
    "LessThanEquals": (True, True, False),
    "GreaterThan": (False, False, True),
    "GreaterThanEquals": (False, True, True),
}
FAMILIES = {
    "Numeric": (("$.one", "$.two"), ("$.two", "$.two"), ("$.two", "$.one")),
    "String": (("$.text", "$.later"), ("$.text", "$.text"), ("$.later", "$.text")),
    "Timestamp": (("$.morning", "$.noon"), ("$.noon", "$.noon"), ("$.noon", "$.morning")),
}
BOOLEANS = {
    "BooleanEquals": [("$.yes", True, True), ("$.yes", False, False), ("$.one", True, False)],
    "IsPresent": [("$.nope", True, False), ("$.nope", False, True), ("$.none", True, True), ("$unset", True, False)],
    "IsNull": [("$.none", True, True), ("$.yes", True, False), ("$.yes", False, True)],
    "IsString": [("$.text", True, True), ("$.one", True, False)],
    "IsNumeric": [("$.one", True, True), ("$.float", True, True), ("$.yes", True, False)],
    "IsBoolean": [("$.yes", True, True), ("$.one", True, False)],
    "IsTimestamp": [("$.noon", True, True), ("$.text", True, False), ("$.one", True, False)],
    "StringMatches": [
        ("$.text", "a*e", True),
        ("$.text", "a*x", False),
        ("$.text", "*", True),
        ("$.text", "a.*", False),
        ("$.one", "1", False),
    ],
    "BooleanEqualsPath": [("$.yes", "$.yes", True), ("$.yes", "$.one", False)],
}
CASES: list[tuple[str, str, Any, bool]] = [
    (comparator, variable, value, holds) for comparator, cases in BOOLEANS.items() for variable, value, holds in cases
]
CASES += [
    (f"{family}{order}{path}", left, right if path else DATA[right.removeprefix("$.")], holds)
    for family, pairs in FAMILIES.items()
    for order, expected in ORDERS.items()
    for (left, right), holds in zip(pairs, expected, strict=True)
    for path in ("", "Path")
]


def holds(condition: dict[str, Any], data: Any = DATA) -> bool:
    rule = ChoiceRule.model_validate(condition | {"Next": "There"})
    return compile_condition(rule.condition, "Choices[0]/Condition")(scope(data))


def test_every_comparator_is_tried():
    assert {case[0] for case in CASES} == COMPARATORS


@pytest.mark.parametrize(("comparator", "variable", "value", "expected"), CASES)
def test_a_comparison(comparator: str, variable: str, value: Any, *, expected: bool):
    assert holds({"Variable": variable, comparator: value}) is expected


@pytest.mark.parametrize(
    "condition",
    [
        {"Variable": "$.one", "StringEquals": "1"},
        {"Variable": "$.one", "StringLessThan": "2"},
        {"Variable": "$.text", "NumericGreaterThan": 0},
        {"Variable": "$.yes", "NumericEquals": 1},
        {"Variable": "$.text", "TimestampEquals": NOON},
        {"Variable": "$.one", "NumericEqualsPath": "$.text"},
        {"Variable": "$.list", "NumericLessThan": 1},
    ],
)
def test_values_of_another_type_never_compare(condition: dict[str, Any]):
    assert not holds(condition)


def test_numbers_and_moments_are_compared_by_what_they_mean():
    assert holds({"Variable": "$.one", "NumericEquals": 1.0})
    assert holds({"Variable": "$.noon", "TimestampEquals": NOON_ELSEWHERE})


def test_stars_are_escaped():
    assert holds({"Variable": "$", "StringMatches": r"a\*b"}, "a*b")
    assert not holds({"Variable": "$", "StringMatches": r"a\*b"}, "axb")
    assert holds({"Variable": "$", "StringMatches": "a\\\\*"}, "a\\bc")


def test_conditions_are_joined():
    yes, no = {"Variable": "$.yes", "BooleanEquals": True}, {"Variable": "$.yes", "BooleanEquals": False}
    assert holds({"And": [yes, yes]})
    assert not holds({"And": [yes, no]})
    assert holds({"Or": [no, yes]})
    assert not holds({"Or": [no, no]})
    assert holds({"Not": {"Or": [no, {"Not": yes}]}})


def test_what_decides_already_is_enough():
    absent = {"Variable": "$.nope", "IsNull": True}
    assert not holds({"And": [{"Variable": "$.nope", "IsPresent": True}, absent]})
    assert holds({"Or": [{"Variable": "$.nope", "IsPresent": False}, absent]})


@pytest.mark.parametrize("condition", [{"NumericEquals": 1}, {"IsNull": True}, {"StringEqualsPath": "$.text"}])
def test_nothing_at_a_path_is_told_as_aws_tells_it(condition: dict[str, Any]):
    rule = ChoiceRule.model_validate({"Variable": "$.nope", "Next": "There"} | condition)
    assert failure(compile_condition(rule.condition, "x"), scope(DATA)) == (
        "States.Runtime",
        "Invalid path '$.nope': The choice state's condition path references an invalid value.",
    )


def test_an_expression_gives_true_or_false():
    assert holds({"Condition": "{% $states.input.one = 1 %}"})
    assert holds({"Condition": True})
    with pytest.raises(EvaluationError, match=r"Expected 'boolean', but was 'number' for value: 1") as raised:
        holds({"Condition": "{% $states.input.one %}"})
    assert raised.value.location == "Choices[0]/Condition"
