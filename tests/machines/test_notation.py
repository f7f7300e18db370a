"""The notation and ASL, both ways. The rows of the sugar table are those of Stepwise, and what it lacks."""

import json
from datetime import UTC, datetime, timedelta, timezone
from types import MappingProxyType
from typing import Any

import pytest

from tests.machines.conformance import needs_cases, recorded_definitions
from tests.machines.noted import HERE, from_state, of_rule, of_state, to_asl
from workers.arns import Place
from workers.machines.notation.operators import var
from workers.machines.notation.reading import read
from workers.machines.notation.writing import write

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


@pytest.mark.parametrize(("notation", "asl"), MACHINES)
def test_machines_both_ways(notation: dict[str, Any], asl: dict[str, Any]):
    assert to_asl(notation) == asl
    assert write(asl) == notation


@pytest.mark.parametrize(("notation", "asl"), STATES)
def test_states_both_ways(notation: dict[str, Any], asl: dict[str, Any]):
    assert of_state(notation) == asl
    written = from_state(asl)
    assert json.dumps(written) == json.dumps(notation)


def test_camel_case_is_taken_everywhere():
    asl = {
        "StartAt": "S",
        "States": {
            "S": {"Type": "Choice", "Choices": [{"Variable": "$.a", "IsNull": True, "Next": "T"}], "Default": "T"},
            "T": {"Type": "Task", "Resource": "arn:aws:states:::sns:publish", "Parameters": {"a": 1}, "End": True},
        },
    }
    assert to_asl(asl) == asl


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

    state = MappingProxyType({"type": "pass", "result": MappingProxyType({"a": (1, (2,))}), "end": True})
    assert of_state(state) == {"Type": "Pass", "Result": {"a": [1, [2]]}, "End": True}


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
