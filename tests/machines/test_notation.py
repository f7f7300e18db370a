"""The notation and ASL, both ways. The rows of the sugar table are those of Stepwise, and what it lacks."""

import json
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from tests.machines.conformance import needs_cases, recorded_definitions
from workers.arns import Place
from workers.machines.model.conditions import PATH_COMPARATORS, TESTS, VALUE_COMPARATORS
from workers.machines.model.shapes import snake_case
from workers.machines.notation.operators import var
from workers.machines.notation.reading import read
from workers.machines.notation.writing import write

HERE = Place("aws", "eu-central-1", "123456789012")


def to_asl(notation: Any, **options: Any) -> Any:
    reading = read(notation, place=options.pop("place", HERE), **options)
    assert reading.findings == []
    return reading.asl


def of_state(state: dict[str, Any], **options: Any) -> Any:
    return to_asl({"start_at": "S", "states": {"S": state}}, **options)["States"]["S"]


def from_state(asl: dict[str, Any], **options: Any) -> Any:
    machine = write({"StartAt": "S", "States": {"S": asl}}, place=options.pop("place", HERE), **options)
    return machine["states"]["S"]


MACHINES = [
    pytest.param(
        {"start_at": "a", "states": {"a": {"type": "succeed"}}, "comment": "c", "timeout_seconds": 60},
        {"StartAt": "a", "States": {"a": {"Type": "Succeed"}}, "Comment": "c", "TimeoutSeconds": 60},
        id="machine",
    ),
    pytest.param(
        {"start_at": "value-in-twenties", "states": {"value-in-twenties": {"type": "pass", "next": "end"}}},
        {"StartAt": "value-in-twenties", "States": {"value-in-twenties": {"Type": "Pass", "Next": "end"}}},
        id="state names are untouched, also those that look like keys",
    ),
    pytest.param(
        {"start_at": "a__b", "states": {"a__b": {"type": "succeed"}, "a/b": {"type": "succeed"}}},
        {"StartAt": "a__b", "States": {"a__b": {"Type": "Succeed"}, "a/b": {"Type": "Succeed"}}},
        id="two underscores and a slash stay what they are",
    ),
    pytest.param(
        {"query_language": "JSONata", "version": "1.0", "start_at": "a", "states": {"a": {"type": "succeed"}}},
        {"QueryLanguage": "JSONata", "Version": "1.0", "StartAt": "a", "States": {"a": {"Type": "Succeed"}}},
        id="query language",
    ),
]

STATES = [
    ({"type": "pass", "next": "b"}, {"Type": "Pass", "Next": "b"}),
    ({"type": "pass", "end": True}, {"Type": "Pass", "End": True}),
    ({"type": "pass", "end": False}, {"Type": "Pass", "End": False}),
    (
        {"type": "task", "resource": "arn:aws:lambda:us-west-2:1:function:f", "timeout_seconds": 9},
        {"Type": "Task", "Resource": "arn:aws:lambda:us-west-2:1:function:f", "TimeoutSeconds": 9},
    ),
    (
        {"type": "pass", "input_path": "$.a", "output_path": "$.b", "result_path": "$.c"},
        {"Type": "Pass", "InputPath": "$.a", "OutputPath": "$.b", "ResultPath": "$.c"},
    ),
    (
        {"type": "pass", "input_path": None, "output_path": None, "result_path": None},
        {"Type": "Pass", "InputPath": None, "OutputPath": None, "ResultPath": None},
    ),
    (
        {"type": "pass", "parameters": {"comment": "v", "start_at.$": "$.x"}},
        {"Type": "Pass", "Parameters": {"comment": "v", "start_at.$": "$.x"}},
    ),
    ({"type": "pass", "result": {"some_key": "r"}}, {"Type": "Pass", "Result": {"some_key": "r"}}),
    ({"type": "fail", "error": "ns/boom", "cause": "why"}, {"Type": "Fail", "Error": "ns/boom", "Cause": "why"}),
    (
        {"type": "fail", "error_path": "$.e", "cause_path": "$.c"},
        {"Type": "Fail", "ErrorPath": "$.e", "CausePath": "$.c"},
    ),
    ({"type": "succeed", "comment": "done"}, {"Type": "Succeed", "Comment": "done"}),
    ({"type": "wait", "seconds": 10}, {"Type": "Wait", "Seconds": 10}),
    ({"type": "wait", "seconds_path": "$.s"}, {"Type": "Wait", "SecondsPath": "$.s"}),
    ({"type": "wait", "timestamp": "2020-01-01T00:00:00Z"}, {"Type": "Wait", "Timestamp": "2020-01-01T00:00:00Z"}),
    ({"type": "wait", "timestamp_path": "$.t"}, {"Type": "Wait", "TimestampPath": "$.t"}),
    (
        {"type": "parallel", "branches": [{"start_at": "p", "comment": "b", "states": {"p": {"type": "succeed"}}}]},
        {"Type": "Parallel", "Branches": [{"StartAt": "p", "Comment": "b", "States": {"p": {"Type": "Succeed"}}}]},
    ),
    (
        {"type": "parallel", "result_selector": {"z.$": "$[0]"}, "retry": [{"error_equals": "States.ALL"}]},
        {"Type": "Parallel", "ResultSelector": {"z.$": "$[0]"}, "Retry": [{"ErrorEquals": ["States.ALL"]}]},
    ),
    (
        {"type": "parallel", "retry": [{"error_equals": ["a", "b/c"], "interval_seconds": 1, "max_attempts": 3}]},
        {"Type": "Parallel", "Retry": [{"ErrorEquals": ["a", "b/c"], "IntervalSeconds": 1, "MaxAttempts": 3}]},
    ),
    (
        {"type": "map", "retry": [{"error_equals": "e", "backoff_rate": 2, "max_delay_seconds": 9}]},
        {"Type": "Map", "Retry": [{"ErrorEquals": ["e"], "BackoffRate": 2, "MaxDelaySeconds": 9}]},
    ),
    (
        {"type": "map", "retry": [{"error_equals": "e", "jitter_strategy": "FULL"}]},
        {"Type": "Map", "Retry": [{"ErrorEquals": ["e"], "JitterStrategy": "FULL"}]},
    ),
    (
        {"type": "map", "catch": [{"error_equals": "e", "next": "h", "result_path": "$.error"}]},
        {"Type": "Map", "Catch": [{"ErrorEquals": ["e"], "Next": "h", "ResultPath": "$.error"}]},
    ),
    (
        {"type": "pass", "query_language": "JSONata", "output": {"a": "{% $x %}"}, "assign": {"my_var": 1}},
        {"Type": "Pass", "QueryLanguage": "JSONata", "Output": {"a": "{% $x %}"}, "Assign": {"my_var": 1}},
    ),
    (
        {
            "type": "map",
            "items_path": "$.items",
            "item_selector": {"v.$": "$$.Map.Item.Value"},
            "max_concurrency": 3,
            "label": "l",
            "tolerated_failure_percentage": 1.5,
            "item_reader": {
                "resource": "arn:aws:states:::s3:getObject",
                "parameters": {"Bucket": "b", "Key": "k"},
                "reader_config": {"input_type": "CSV", "csv_header_location": "GIVEN", "csv_headers": ["a"]},
            },
            "item_batcher": {"max_items_per_batch": 2, "batch_input": {"k_1": 1}},
            "result_writer": {"writer_config": {"output_type": "JSONL"}},
            "item_processor": {
                "processor_config": {"mode": "DISTRIBUTED", "execution_type": "EXPRESS"},
                "start_at": "i",
                "states": {"i": {"type": "succeed"}},
            },
        },
        {
            "Type": "Map",
            "ItemsPath": "$.items",
            "ItemSelector": {"v.$": "$$.Map.Item.Value"},
            "MaxConcurrency": 3,
            "Label": "l",
            "ToleratedFailurePercentage": 1.5,
            "ItemReader": {
                "Resource": "arn:aws:states:::s3:getObject",
                "Parameters": {"Bucket": "b", "Key": "k"},
                "ReaderConfig": {"InputType": "CSV", "CSVHeaderLocation": "GIVEN", "CSVHeaders": ["a"]},
            },
            "ItemBatcher": {"MaxItemsPerBatch": 2, "BatchInput": {"k_1": 1}},
            "ResultWriter": {"WriterConfig": {"OutputType": "JSONL"}},
            "ItemProcessor": {
                "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "EXPRESS"},
                "StartAt": "i",
                "States": {"i": {"Type": "Succeed"}},
            },
        },
    ),
    (
        {
            "type": "task",
            "resource": "arn:aws:states:::sqs:sendMessage.waitForTaskToken",
            "parameters": {"QueueUrl": "u"},
            "credentials": {"role_arn.$": "$.role"},
            "timeout_seconds_path": "$.t",
            "heartbeat_seconds_path": "$.h",
        },
        {
            "Type": "Task",
            "Resource": "arn:aws:states:::sqs:sendMessage.waitForTaskToken",
            "Parameters": {"QueueUrl": "u"},
            "Credentials": {"RoleArn.$": "$.role"},
            "TimeoutSecondsPath": "$.t",
            "HeartbeatSecondsPath": "$.h",
        },
    ),
]

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


@pytest.mark.parametrize(("notation", "asl"), MACHINES)
def test_machines_both_ways(notation: dict[str, Any], asl: dict[str, Any]):
    assert to_asl(notation) == asl
    assert write(asl) == notation


@pytest.mark.parametrize(("notation", "asl"), STATES)
def test_states_both_ways(notation: dict[str, Any], asl: dict[str, Any]):
    assert of_state(notation) == asl
    written = from_state(asl)
    assert json.dumps(written) == json.dumps(notation)


@pytest.mark.parametrize(("notation", "asl"), CONDITIONS)
def test_conditions_both_ways(notation: Any, asl: dict[str, Any]):
    state = {"type": "choice", "choices": [{"condition": notation, "next": "n"}], "default": "d"}
    expected = {"Type": "Choice", "Choices": [{**asl, "Next": "n"}], "Default": "d"}
    assert of_state(state) == expected
    assert from_state(expected) == state


@pytest.mark.parametrize("comparator", sorted(VALUE_COMPARATORS.keys() | PATH_COMPARATORS.keys()))
def test_every_comparator_both_ways(comparator: str):
    asl = {"Variable": "$.a", comparator: "$.b"}
    assert of_rule([snake_case(comparator), "$.a", "$.b"]) == asl
    assert of_rule([comparator, "$.a", "$.b"]) == asl
    assert of_rule(rule_of(asl)) == asl
    if comparator in TESTS:
        assert of_rule([snake_case(comparator), "$.a"]) == {"Variable": "$.a", comparator: True}


def of_rule(condition: Any) -> Any:
    rule = of_state({"type": "choice", "choices": [{"condition": condition, "next": "n"}]})["Choices"][0]
    return {key: value for key, value in rule.items() if key != "Next"}


def rule_of(asl: dict[str, Any]) -> Any:
    return from_state({"Type": "Choice", "Choices": [{**asl, "Next": "n"}]})["choices"][0]["condition"]


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


def test_camel_case_is_taken_everywhere():
    asl = {
        "StartAt": "S",
        "States": {
            "S": {"Type": "Choice", "Choices": [{"Variable": "$.a", "IsNull": True, "Next": "T"}], "Default": "T"},
            "T": {"Type": "Task", "Resource": "arn:aws:states:::sns:publish", "Parameters": {"a": 1}, "End": True},
        },
    }
    assert to_asl(asl) == asl


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
    from workers.errors import UsageError

    with pytest.raises(UsageError, match="join conditions with &"):
        bool(var("$.a") == 1 and var("$.b"))
    with pytest.raises(UsageError, match="kind="):
        var("$.a") == var("$.b")  # noqa: B015 - the comparison itself is refused


def test_python_values_for_times():
    noon = datetime(2020, 1, 1, 12, tzinfo=timezone(timedelta(hours=1)))
    assert of_state({"type": "wait", "seconds": timedelta(minutes=2)})["Seconds"] == 120
    assert of_state({"type": "wait", "timestamp": noon})["Timestamp"] == "2020-01-01T11:00:00Z"
    assert of_rule(["<", "$.d", noon]) == {"Variable": "$.d", "TimestampLessThan": "2020-01-01T11:00:00Z"}
    assert of_rule(var("$.d") >= datetime(2020, 1, 1, 0, 0, 0, 5000, UTC)) == {
        "Variable": "$.d",
        "TimestampGreaterThanEquals": "2020-01-01T00:00:00.005000Z",
    }
    assert to_asl({"timeout_seconds": timedelta(days=1), "states": {}})["TimeoutSeconds"] == 86400
    retry = {"error_equals": "e", "interval_seconds": timedelta(seconds=3), "max_delay_seconds": timedelta(hours=1)}
    asl = of_state({"type": "map", "retry": [retry]})["Retry"][0]
    assert (asl["IntervalSeconds"], asl["MaxDelaySeconds"]) == (3, 3600)


class OutOfStockError(Exception):
    pass


class DeclinedError(Exception):
    error_name = "Card.Declined"


@pytest.mark.parametrize(
    ("given", "names"),
    [
        (OutOfStockError, ["OutOfStockError"]),
        (DeclinedError, ["Card.Declined"]),
        ([OutOfStockError, "Other", TimeoutError], ["OutOfStockError", "Other", "TimeoutError"]),
        (("a", "b"), ["a", "b"]),
        ({"b", "a"}, ["a", "b"]),
        ([], []),
    ],
)
def test_errors_by_name_and_by_exception_class(given: Any, names: list[str]):
    assert (
        of_state({"type": "map", "catch": [{"error_equals": given, "next": "n"}]})["Catch"][0]["ErrorEquals"] == names
    )


def test_tuples_and_other_mappings_are_json_too():
    from types import MappingProxyType

    state = MappingProxyType({"type": "pass", "result": MappingProxyType({"a": (1, (2,))}), "end": True})
    assert of_state(state) == {"Type": "Pass", "Result": {"a": [1, [2]]}, "End": True}


REFUSED = [
    ({"type": "wait", "seconds": timedelta(milliseconds=1500)}, ("seconds",), "whole number of seconds"),
    ({"type": "wait", "timestamp": datetime(2020, 1, 1)}, ("timestamp",), "no time zone"),  # noqa: DTZ001
    ({"type": "pass", "result": {"a": {1, 2}}}, ("result",), "(set) is no JSON"),
    ({"type": "pass", "result": float("nan")}, ("result",), "no number in JSON"),
    ({"type": "pass", "result": {1: 2}}, ("result",), "the key 1 (int) is no text"),
    ({"type": "pass", "result": timedelta(seconds=1)}, ("result",), "is no JSON"),
    ({"type": "pass", "next": "a", "Next": "b"}, ("Next",), "given twice"),
    ({"type": "pass", "Type": "Pass"}, ("type",), "given twice"),
    ({"type": "map", "catch": [{"error_equals": Exception}]}, ("catch", 0, "error_equals"), "write 'States.ALL'"),
    ({"type": "map", "catch": [{"error_equals": [int]}]}, ("catch", 0, "error_equals"), "neither an error name"),
    ({"type": "task", "resource": "sqs:queue"}, ("resource",), "names nothing that a task can call"),
    ({"type": "task", "resource": "lambda:"}, ("resource",), "names nothing that a task can call"),
    ({"type": "task", "resource": "a b"}, ("resource",), "holds ' ', which AWS refuses"),
    ({"type": "task", "resource": 3}, ("resource",), "3 is no resource"),
    ({"type": "task", "resource": len}, ("resource",), "len is a function, and no handler: register it"),
    ({"type": "task", "resource": "a", "context": "no"}, ("context",), "true or false"),
    ({"type": "task", "resource": "lambda:f", "context": True}, ("context",), "is for activities"),
    ({"type": "task", "resource": "lambda:f", "deploy_retry": True}, ("deploy_retry",), "is for activities"),
    ({"type": "task", "resource": "glue:j", "parameters": []}, ("parameters",), "as an object"),
    ({"type": "task", "resource": "glue:j", "parameters": {"JobName": "x"}}, ("parameters",), "given twice"),
]


@pytest.mark.parametrize(("state", "where", "message"), REFUSED)
def test_what_cannot_be_read_is_found_where_it_stands(state: dict[str, Any], where: tuple[Any, ...], message: str):
    (finding,) = read({"start_at": "S", "states": {"S": state}}, place=HERE).findings
    assert finding.where == ("states", "S", *where)
    assert message in finding.message


@pytest.mark.parametrize(
    ("condition", "where", "message"),
    [
        ([], (), "a condition starts with its operator"),
        (["like", "$.a", "x"], (), "a condition starts with its operator"),
        (["==", "$.a", 1], (), "found ['==']: write ="),
        (["!=", "$.a", 1], (), 'write [not, ["=", …]]'),
        (["is_presnt", "$.a"], (), "did you mean is_present?"),
        ([["and"]], (), "a condition starts with its operator"),
        (["and"], (), "needs at least one condition"),
        (["not", "$.a", "$.b"], (), "'not' takes one condition, found 2"),
        (["=", "$.a"], (), "'=' takes a path and a value, found 1"),
        (["numeric_equals", "$.a"], (), "takes a path and a value"),
        (["=", "$.a", None], (2,), "write [is_null, $.a]"),
        (["<", "$.a", True], (2,), "only = can"),
        (["=", "$.a", [1]], (2,), "compares with text"),
        (["=", "$.a", var("$.b")], (2,), "numeric_equals_path"),
        (3, (), "3 is no condition"),
        (["or", "$.a", ["not", 5]], (2, 1), "5 is no condition"),
        ({"and": ["$.a", 5]}, ("and", 1), "5 is no condition"),
        ({"variable": "$.a", "Variable": "$.b"}, ("Variable",), "given twice"),
        ({"variable": "$.a", "numeric_equals": {1}}, ("numeric_equals",), "is no JSON"),
    ],
)
def test_conditions_that_cannot_be_read(condition: Any, where: tuple[Any, ...], message: str):
    state = {"type": "choice", "choices": [{"condition": condition, "next": "n"}]}
    finding = read({"start_at": "S", "states": {"S": state}}).findings[0]
    assert finding.where == ("states", "S", "choices", 0, "condition", *where)
    assert message in finding.message


def test_a_condition_given_twice_is_refused():
    rule = {"condition": ["=", "$.a", 1], "variable": "$.b", "next": "n"}
    (finding,) = read({"states": {"S": {"type": "choice", "choices": [rule]}}}).findings
    assert "given twice" in finding.message


@pytest.mark.parametrize(
    "nonsense", [None, 1, "x", [], [1], {}, {"states": 1}, {"states": {"a": 1}}, {"states": {"a": {"type": []}}}]
)
def test_nonsense_is_read_without_a_traceback(nonsense: Any):
    assert read(nonsense).asl is not Ellipsis


def test_the_name_of_a_state_is_text():
    (finding,) = read({"states": {1: {"type": "succeed"}}}).findings
    assert finding.where == ("states", "1")
    assert "write '1' in quotes" in finding.message


def test_every_place_in_asl_has_its_place_in_the_source():
    notation = {
        "start_at": "T",
        "states": {
            "T": {
                "type": "task",
                "resource": "add",
                "parameters": {"x": {"y.$": "$.y"}},
                "retry": [{"error_equals": "E"}],
                "Catch": [{"error_equals": "E", "next": "T"}],
            },
            "C": {"type": "choice", "choices": [{"condition": ["or", "$.a", ["not", ["=", "$.b", 1]]], "next": "T"}]},
        },
    }
    reading = read(notation)
    places = {
        ("StartAt",): ("start_at",),
        ("States", "T"): ("states", "T"),
        ("States", "T", "Type"): ("states", "T", "type"),
        ("States", "T", "Parameters", "input", "x", "y.$"): ("states", "T", "parameters", "x", "y.$"),
        ("States", "T", "Retry", 1, "ErrorEquals"): ("states", "T", "retry", 0, "error_equals"),
        ("States", "T", "Retry", 1, "MaxAttempts"): ("states", "T", "retry", 0, "MaxAttempts"),
        ("States", "T", "Catch", 0, "Next"): ("states", "T", "Catch", 0, "next"),
        ("States", "C", "Choices", 0): ("states", "C", "choices", 0),
        ("States", "C", "Choices", 0, "Next"): ("states", "C", "choices", 0, "next"),
        ("States", "C", "Choices", 0, "Or"): ("states", "C", "choices", 0, "condition"),
        ("States", "C", "Choices", 0, "Or", 0, "Variable"): ("states", "C", "choices", 0, "condition", 1),
        ("States", "C", "Choices", 0, "Or", 1, "Not", "NumericEquals"): (
            "states", "C", "choices", 0, "condition", 2, 1, 2,
        ),
    }  # fmt: skip
    assert {where: reading.source_of(where) for where in places} == places


@needs_cases
@pytest.mark.parametrize("place", [None, Place("aws", "us-east-1", "123456789012")], ids=["by ARN", "by name"])
@pytest.mark.parametrize("definition", recorded_definitions())
def test_recorded_definitions_survive_the_notation(definition: dict[str, Any], place: Place | None):
    notation = write(definition, place=place)
    reading = read(notation, place=place or HERE)
    assert reading.findings == []
    assert reading.asl == definition
    assert not {key for key in top_keys(notation) if key[:1].isupper()}


def top_keys(notation: dict[str, Any]) -> set[str]:
    return {*notation, *(key for state in notation["states"].values() for key in state)}
