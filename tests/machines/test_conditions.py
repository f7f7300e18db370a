"""Conditions in the notation and in ASL, both ways; and as operators of Python."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from tests.machines.noted import from_state, of_rule, of_state, rule_of
from workers.errors import UsageError
from workers.machines.model.conditions import PATH_COMPARATORS, TESTS, VALUE_COMPARATORS
from workers.machines.model.shapes import snake_case
from workers.machines.notation.operators import var

CONDITIONS = [
    ("$.flag", {"Variable": "$.flag", "BooleanEquals": True}),
    (["not", "$.flag"], {"Not": {"Variable": "$.flag", "BooleanEquals": True}}),
    (["=", "$.flag", False], {"Variable": "$.flag", "BooleanEquals": False}),
    (["=", "$.t", "Private"], {"Variable": "$.t", "StringEquals": "Private"}),
    ([">", "$.t", "m"], {"Variable": "$.t", "StringGreaterThan": "m"}),
    ([">=", "$.t", "m"], {"Variable": "$.t", "StringGreaterThanEquals": "m"}),
    (["<", "$.t", "m"], {"Variable": "$.t", "StringLessThan": "m"}),
    (["<=", "$.t", "m"], {"Variable": "$.t", "StringLessThanEquals": "m"}),
    (["=", "$.v", 20], {"Variable": "$.v", "NumericEquals": 20}),
    ([">", "$.v", 20], {"Variable": "$.v", "NumericGreaterThan": 20}),
    ([">=", "$.v", 20], {"Variable": "$.v", "NumericGreaterThanEquals": 20}),
    (["<", "$.v", 1.5], {"Variable": "$.v", "NumericLessThan": 1.5}),
    (["<=", "$.v", 1.5], {"Variable": "$.v", "NumericLessThanEquals": 1.5}),
    (
        ["timestamp_equals", "$.d", "2020-01-01T00:00:00Z"],
        {"Variable": "$.d", "TimestampEquals": "2020-01-01T00:00:00Z"},
    ),
    (["string_matches", "$.t", "log-*.txt"], {"Variable": "$.t", "StringMatches": "log-*.txt"}),
    (["numeric_equals_path", "$.a", "$.b"], {"Variable": "$.a", "NumericEqualsPath": "$.b"}),
    (["is_present", "$.a"], {"Variable": "$.a", "IsPresent": True}),
    (["is_present", "$.a", False], {"Variable": "$.a", "IsPresent": False}),
    (
        ["and", [">=", "$.value", 20], ["<", "$.value", 30]],
        {
            "And": [
                {"Variable": "$.value", "NumericGreaterThanEquals": 20},
                {"Variable": "$.value", "NumericLessThan": 30},
            ]
        },
    ),
    (
        ["or", "$$.Execution.Input.a", ["not", ["is_null", "$var"]]],
        {
            "Or": [
                {"Variable": "$$.Execution.Input.a", "BooleanEquals": True},
                {"Not": {"Variable": "$var", "IsNull": True}},
            ]
        },
    ),
    ("{% $states.input.x > 1 %}", {"Condition": "{% $states.input.x > 1 %}"}),
    (True, {"Condition": True}),
]


@pytest.mark.parametrize(("notation", "asl"), CONDITIONS)
def test_conditions_both_ways(notation: Any, asl: dict[str, Any]):
    state = {"type": "choice", "choices": [{"condition": notation, "next": "n"}], "default": "d"}
    expected = {"Type": "Choice", "Choices": [{**asl, "Next": "n"}], "Default": "d"}
    assert of_state(state) == expected
    assert from_state(expected) == state


@pytest.mark.parametrize(
    ("symbol", "comparator"),
    [
        ("=", "TimestampEquals"),
        (">", "TimestampGreaterThan"),
        (">=", "TimestampGreaterThanEquals"),
        ("<", "TimestampLessThan"),
        ("<=", "TimestampLessThanEquals"),
    ],
)
def test_moments_of_python_are_compared_as_timestamps(symbol: str, comparator: str):
    for noon in (datetime(2020, 1, 1, 12, tzinfo=UTC), datetime(2020, 1, 1, 14, tzinfo=timezone(timedelta(hours=2)))):
        asl = {"Variable": "$.d", comparator: "2020-01-01T12:00:00Z"}
        assert of_rule([symbol, "$.d", noon]) == asl
        assert rule_of(asl) == [snake_case(comparator), "$.d", "2020-01-01T12:00:00Z"]  # text alone would be a String


@pytest.mark.parametrize("comparator", sorted(VALUE_COMPARATORS.keys() | PATH_COMPARATORS.keys()))
def test_every_comparator_both_ways(comparator: str):
    asl = {"Variable": "$.a", comparator: "$.b"}
    assert of_rule([snake_case(comparator), "$.a", "$.b"]) == asl
    assert of_rule([comparator, "$.a", "$.b"]) == asl
    assert of_rule(rule_of(asl)) == asl
    if comparator in TESTS:
        assert of_rule([snake_case(comparator), "$.a"]) == {"Variable": "$.a", comparator: True}


def test_there_are_thirty_nine_comparators():
    assert len(VALUE_COMPARATORS) + len(PATH_COMPARATORS) == 39


def test_conditions_with_more_than_a_list_can_say_are_objects():
    asl = {"And": [{"Variable": "$.a", "StringEquals": "x", "Comment": "why"}, {"Variable": "$.b", "IsNull": True}]}
    written = rule_of(asl)
    assert written == ["and", {"variable": "$.a", "string_equals": "x", "comment": "why"}, ["is_null", "$.b"]]
    assert of_rule(written) == asl


def test_conditions_as_asl_writes_them_are_taken_in_both_spellings():
    asl = {"Not": {"Or": [{"Variable": "$.a", "StringEquals": "x"}]}}
    assert of_rule(asl) == asl
    assert of_rule({"not": {"or": [["=", "$.a", "x"]]}}) == asl
    flat = {"type": "choice", "choices": [{"variable": "$.a", "string_equals": "x", "next": "n"}]}
    assert of_state(flat)["Choices"] == [{"Variable": "$.a", "StringEquals": "x", "Next": "n"}]


def test_a_rule_keeps_what_it_has_beside_its_condition():
    rule = {"condition": "$.a", "next": "n", "comment": "c", "assign": {"x": 1}}
    asl = {"Variable": "$.a", "BooleanEquals": True, "Next": "n", "Comment": "c", "Assign": {"x": 1}}
    assert of_state({"type": "choice", "choices": [rule]})["Choices"] == [asl]
    assert from_state({"Type": "Choice", "Choices": [asl]})["choices"] == [rule]


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        (var("$.v") >= 20, [">=", "$.v", 20]),
        (var("$.v") > 20, [">", "$.v", 20]),
        (var("$.v") < 20, ["<", "$.v", 20]),
        (var("$.v") <= 20, ["<=", "$.v", 20]),
        (var("$.v") == "x", ["=", "$.v", "x"]),
        (var("$.v") != "x", ["not", ["=", "$.v", "x"]]),
        (~var("$.flag"), ["not", "$.flag"]),
        (var("$.a") & var("$.b") & var("$.c"), ["and", "$.a", "$.b", "$.c"]),
        ((var("$.a") == 1) | ~(var("$.b") & var("$.c")), ["or", ["=", "$.a", 1], ["not", ["and", "$.b", "$.c"]]]),
        (var("$.a").matches("x*"), ["string_matches", "$.a", "x*"]),
        (var("$.a").is_present(), ["is_present", "$.a"]),
        (var("$.a").is_null(), ["is_null", "$.a"]),
        (var("$.a").is_string(), ["is_string", "$.a"]),
        (var("$.a").is_numeric(), ["is_numeric", "$.a"]),
        (var("$.a").is_boolean(), ["is_boolean", "$.a"]),
        (var("$.a").is_timestamp(), ["is_timestamp", "$.a"]),
        (var("$.a", kind="numeric") >= var("$.b"), ["numeric_greater_than_equals_path", "$.a", "$.b"]),
        (var("$.a") == var("$.b", kind="boolean"), ["boolean_equals_path", "$.a", "$.b"]),
    ],
)
def test_operators(condition: Any, expected: Any):
    assert condition.notation == expected
    assert of_rule(condition) == of_rule(expected)


def test_a_variable_on_its_own_is_a_condition_and_may_stand_in_a_list():
    assert of_rule(var("$.flag")) == {"Variable": "$.flag", "BooleanEquals": True}
    assert of_rule(["and", var("$.a"), [">", var("$.b"), 1]]) == of_rule(["and", "$.a", [">", "$.b", 1]])


def test_operators_that_cannot_be_meant_are_refused():
    with pytest.raises(UsageError, match="join conditions with &"):
        bool(var("$.a") == 1 and var("$.b"))
    with pytest.raises(UsageError, match="kind="):
        var("$.a") == var("$.b")  # noqa: B015 - the comparison itself is refused
