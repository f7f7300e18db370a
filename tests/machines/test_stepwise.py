"""What Stepwise checked, case by case, and what it got wrong."""

from typing import Any

import pytest

from workers.arns import Place
from workers.errors import ActivityError
from workers.failures import failure
from workers.machines import Severity, from_asl, load, to_asl, validate
from workers.machines.notation.reading import read

HERE = Place("aws", "us-east-1", "123456789012")
TOPIC = "arn:aws:states:::sns:publish"


def errors(states: dict[str, Any], **machine: Any) -> list[tuple[str, str]]:
    definition = {"start_at": "S", "states": states} | machine
    return [(found.code, found.path) for found in validate(definition) if found.severity is Severity.ERROR]


def test_stepwise_case_1_a_machine_that_moves_data_around():
    notation = {
        "start_at": "Add",
        "states": {
            "Add": {
                "type": "task",
                "comment": "adds",
                "resource": "arn:aws:states:us-east-1:123456789012:activity:add",
                "parameters": {"comment": "a literal", "MyInput": {"newX.$": "$.x", "newY.$": "$.y"}},
                "result_selector": {"newZ.$": "$.z"},
                "result_path": "$.add-output",
                "timeout_seconds": 60,
                "heartbeat_seconds": 3,
                "end": True,
            }
        },
    }
    asl = to_asl(notation)
    assert asl["States"]["Add"]["Parameters"] == notation["states"]["Add"]["parameters"]
    assert asl["States"]["Add"]["ResultSelector"] == {"newZ.$": "$.z"}
    assert from_asl(asl) == notation


def test_stepwise_case_3_every_unknown_key_is_named_with_its_path():
    states = {
        "S": {"type": "task", "resource": TOPIC, "retry": [{"error_equals": "E", "bar": 1}], "boom": 2, "end": True},
    }
    assert errors(states, foo=[{"bar": "bam"}], bim={"boom": "bap"}) == [
        ("unknown-key", "states.S.retry[0].bar"),
        ("unknown-key", "states.S.boom"),
        ("unknown-key", "foo"),
        ("unknown-key", "bim"),
    ]


RULES = {
    "no start": ({"states": {"S": {"type": "succeed"}}}, ("missing-key", "")),
    "no such start": ({"start_at": "X", "states": {"S": {"type": "succeed"}}}, ("missing-target", "start_at")),
    "no states": ({"start_at": "S", "states": {}}, ("empty", "states")),
}
IN_A_STATE = {
    "no start of a branch": ({"type": "parallel", "branches": [{"states": {"B": {"type": "succeed"}}}]}, "missing-key"),
    "no branches": ({"type": "parallel", "branches": []}, "empty"),
    "no states of a branch": ({"type": "parallel", "branches": [{"start_at": "B", "states": {}}]}, "empty"),
    "no choices": ({"type": "choice", "choices": [], "default": "S"}, "empty"),
    "no errors to retry": ({"type": "task", "resource": TOPIC, "retry": [{"error_equals": []}]}, "empty"),
    "no parts of an and": ({"type": "choice", "choices": [{"And": [], "next": "S"}], "default": "S"}, "empty"),
    "no parts of an or": ({"type": "choice", "choices": [{"Or": [], "next": "S"}], "default": "S"}, "empty"),
    "no resource": ({"type": "task"}, "missing-key"),
    "no transition": ({"type": "pass"}, "missing-key"),
    "no variable": ({"type": "choice", "choices": [{"string_equals": "", "next": "S"}], "default": "S"}, "missing-key"),
    "no condition": ({"type": "choice", "choices": [{"next": "S"}], "default": "S"}, "bad-condition"),
    "no time": ({"type": "wait"}, "missing-key"),
    "no such next": ({"type": "pass", "next": "X"}, "missing-target"),
    "no such default": (
        {"type": "choice", "choices": [{"condition": "$.a", "next": "S"}], "default": "X"},
        "missing-target",
    ),
    "no such catch": (
        {"type": "task", "resource": TOPIC, "catch": [{"error_equals": "E", "next": "X"}]},
        "missing-target",
    ),
    "timeout of 0": ({"type": "task", "resource": TOPIC, "timeout_seconds": 0}, "out-of-range"),
    "heartbeat of 0": ({"type": "task", "resource": TOPIC, "heartbeat_seconds": 0}, "out-of-range"),
    "interval of 0": (
        {"type": "task", "resource": TOPIC, "retry": [{"error_equals": "E", "interval_seconds": 0}]},
        "out-of-range",
    ),
    "seconds below 0": ({"type": "wait", "seconds": -1}, "out-of-range"),
    "heartbeat of a timeout": (
        {"type": "task", "resource": TOPIC, "timeout_seconds": 5, "heartbeat_seconds": 5},
        "heartbeat-not-below-timeout",
    ),
    "attempts below 0": (
        {"type": "task", "resource": TOPIC, "retry": [{"error_equals": "E", "max_attempts": -1}]},
        "out-of-range",
    ),
    "backoff below 1": (
        {"type": "task", "resource": TOPIC, "retry": [{"error_equals": "E", "backoff_rate": 0.9}]},
        "out-of-range",
    ),
    "all in company": (
        {"type": "task", "resource": TOPIC, "retry": [{"error_equals": ["E", "States.ALL"]}]},
        "states-all",
    ),
    "all before another": (
        {"type": "task", "resource": TOPIC, "retry": [{"error_equals": "States.ALL"}, {"error_equals": "E"}]},
        "states-all",
    ),
    "an empty path": ({"type": "pass", "input_path": ""}, "bad-path"),
    "a circle without a choice": ({"type": "pass", "next": "S"}, "no-end"),
    "a key of another type": ({"type": "wait", "seconds": 1, "retry": []}, "misplaced-key"),
}


@pytest.mark.parametrize(("definition", "expected"), RULES.values(), ids=RULES)
def test_rules_of_the_machine(definition: dict[str, Any], expected: tuple[str, str]):
    assert [(found.code, found.path) for found in validate(definition)] == [expected]


@pytest.mark.parametrize(("state", "code"), IN_A_STATE.values(), ids=IN_A_STATE)
@pytest.mark.parametrize("nested", [False, True], ids=["at the top", "in a branch"])
def test_rules_of_states(state: dict[str, Any], code: str, nested: bool):
    goes_on = code == "missing-key" and state["type"] == "pass"
    if state["type"] != "choice" and "next" not in state and not goes_on:
        state = state | {"end": True}
    states = {"S": state}
    if state["type"] == "choice":
        states["T"] = {"type": "succeed"}
        state = states["S"] = {**state, "choices": [*state["choices"]]}
        if state["default"] == "S":
            state["default"] = "T"
    if nested:
        states = {"O": {"type": "map", "iterator": {"start_at": "S", "states": states}, "end": True}}
    found = {code for code, _ in errors(states, start_at="O" if nested else "S")}
    assert code in found
    assert found <= {code, "unreachable"}


def test_a_fail_state_needs_no_cause_today():
    assert errors({"S": {"type": "fail"}}) == []


# The bugs of Stepwise that belong here, by their numbers in the list of them.


def test_bug_4_1_1_the_error_that_is_raised_is_the_error_that_is_matched():
    class PaymentDeclinedError(Exception):
        error_name = "payment/declined"

    state = {
        "type": "task",
        "resource": TOPIC,
        "catch": [{"error_equals": PaymentDeclinedError, "next": "T"}],
        "next": "T",
    }
    asl = to_asl({"start_at": "S", "states": {"S": state, "T": {"type": "succeed"}}})
    (name,) = asl["States"]["S"]["Catch"][0]["ErrorEquals"]
    assert name == failure(PaymentDeclinedError()).error == failure(ActivityError("payment/declined")).error


def test_bug_4_1_12_end_false_does_not_end_and_no_key_wins_silently():
    assert errors({"S": {"type": "pass", "end": False}}) == [("missing-key", "states.S")]
    assert errors({"S": {"type": "pass", "next": "T", "end": True}, "T": {"type": "succeed"}}) == [
        ("conflict", "states.S.end")
    ]
    assert errors({"S": {"type": "wait", "seconds": 1, "timestamp": "2020-01-01T00:00:00Z", "end": True}}) == [
        ("conflict", "states.S.timestamp")
    ]
    assert errors({"S": {"end": True}}) == [("missing-key", "states.S")]


def test_bug_4_1_13_activities_are_found_wherever_tasks_are_and_nowhere_else():
    inner = {"start_at": "I", "states": {"I": {"type": "task", "resource": "inner", "end": True}}}
    states = {
        "P": {"type": "parallel", "branches": (inner,), "next": "M"},
        "M": {
            "type": "map",
            "item_processor": inner | {"start_at": "J", "states": {"J": inner["states"]["I"]}},
            "next": "T",
        },
        "T": {"type": "task", "resource": "outer", "parameters": {"resource": "no-activity"}, "end": True},
    }
    definition = load({"start_at": "P", "states": states})
    assert definition.activities(place=HERE) == (HERE.activity("inner"), HERE.activity("outer"))
    branch = definition.to_asl(place=HERE)["States"]["P"]["Branches"][0]
    assert branch["States"]["I"]["Resource"] == HERE.activity("inner")


@pytest.mark.parametrize(
    "resource",
    [
        "arn:aws:lambda:us-east-1:123456789012:function:f",
        "arn:aws:states:::states:startExecution.sync:2",
        "arn:aws:states:us-east-1:999999999999:activity:of-another-account",
    ],
)
def test_bug_4_1_14_reading_back_loses_no_resource(resource: str):
    asl = {"StartAt": "S", "States": {"S": {"Type": "Task", "Resource": resource, "End": True}}}
    assert to_asl(from_asl(asl, place=HERE), place=HERE) == asl
    assert to_asl(from_asl(asl)) == asl


def test_bug_4_1_14_maps_and_newer_conditions_are_read_back():
    rule = {"Variable": "$", "IsPresent": True, "Next": "J"}
    inner = {
        "StartAt": "I",
        "States": {"I": {"Type": "Choice", "Choices": [rule], "Default": "J"}, "J": {"Type": "Succeed"}},
    }
    asl = {"StartAt": "S", "States": {"S": {"Type": "Map", "ItemProcessor": inner, "End": True}}}
    assert to_asl(from_asl(asl)) == asl


def test_bug_4_1_20_what_the_specifications_had_wrong():
    states = {
        "S": {"type": "wait", "seconds": 1, "next": "C"},
        "C": {"type": "choice", "choices": [{"condition": [">=", "$.a", 1], "next": "T"}], "default": "T"},
        "T": {
            "type": "task",
            "resource": TOPIC,
            "parameters": {"a": 1},
            "result_selector": {"b.$": "$.b"},
            "retry": [{"error_equals": "E", "backoff_rate": 1.5}],
            "end": True,
        },
    }
    assert errors(states) == []


def test_bug_4_1_21_names_and_nulls_come_back_as_they_were():
    asl = {
        "StartAt": "a__b",
        "States": {
            "a__b": {"Type": "Pass", "InputPath": None, "ResultPath": None, "OutputPath": None, "Next": "a/b"},
            "a/b": {"Type": "Fail", "Error": "x__y", "Cause": "z/z"},
        },
    }
    assert to_asl(from_asl(asl, place=HERE), place=HERE) == asl
    assert read(from_asl(asl)).asl == asl
