"""TestState over HTTP."""

import json
from typing import Any

import pytest

from tests.local.helpers import refused

ACTIVITY = {"Type": "Task", "Resource": "arn:aws:states:us-east-1:123456789012:activity:a", "End": True}
FETCH = {
    "Type": "Task",
    "Resource": "arn:aws:states:::aws-sdk:dynamodb:getItem",
    "Parameters": {"TableName.$": "$.table", "Key": {"id": {"S": "1"}}},
    "Next": "Then",
}


async def trial(client: Any, state: dict[str, Any], value: Any = None, **options: Any) -> dict[str, Any]:
    """What TestState answers, with its JSON read."""
    for name in ("variables", "context"):
        if name in options:
            options[name] = json.dumps(options[name])
    if isinstance(options.get("mock"), dict) and "result" in options["mock"]:
        options["mock"] = options["mock"] | {"result": json.dumps(options["mock"]["result"])}
    answer = await client.test_state(definition=json.dumps(state), input=json.dumps(value), **options)
    del answer["ResponseMetadata"]
    if "output" in answer:
        answer["output"] = json.loads(answer["output"])
    data = answer.get("inspectionData", {})
    for name, text in data.items():
        if isinstance(text, str):
            data[name] = json.loads(text)
    return dict(answer)


async def test_a_state_succeeds(client: Any):
    state = {"Type": "Pass", "Parameters": {"b.$": "$.a"}, "ResultPath": "$.c", "Next": "Then"}
    assert await trial(client, state, {"a": 1}) == {
        "status": "SUCCEEDED",
        "output": {"a": 1, "c": {"b": 1}},
        "nextState": "Then",
    }
    assert await trial(client, {"Type": "Succeed"}, 1) == {"status": "SUCCEEDED", "output": 1}


async def test_a_state_fails(client: Any):
    fail = {"Type": "Fail", "Error": "E", "Cause": "C"}
    assert await trial(client, fail) == {"status": "FAILED", "error": "E", "cause": "C"}
    missing = await trial(client, {"Type": "Pass", "InputPath": "$.x", "End": True}, {})
    assert (missing["status"], missing["error"]) == ("FAILED", "States.Runtime")
    assert missing["cause"] == "Invalid path '$.x' : No results for path: $['x']"  # no sentence names the state


@pytest.mark.parametrize(("value", "following"), [(1, "Low"), (9, "High")])
async def test_a_choice_chooses(client: Any, value: int, following: str):
    rule = {"Variable": "$", "NumericGreaterThan": 5, "Next": "High"}
    found = await trial(client, {"Type": "Choice", "Choices": [rule], "Default": "Low"}, value)
    assert (found["status"], found["nextState"], found["output"]) == ("SUCCEEDED", following, value)


async def test_the_data_flow_is_shown(client: Any):
    state = {
        "Type": "Task",
        "Resource": "arn:aws:states:::sqs:sendMessage",
        "InputPath": "$.in",
        "Parameters": {"QueueUrl": "q", "MessageBody.$": "$.body"},
        "ResultSelector": {"id.$": "$.MessageId"},
        "ResultPath": "$.sent",
        "OutputPath": "$.sent",
        "End": True,
    }
    given = {"in": {"body": "b"}}
    result = {"MessageId": "1", "MD5OfMessageBody": "x"}
    found = await trial(client, state, given, mock={"result": result}, inspectionLevel="DEBUG")
    assert found == {
        "status": "SUCCEEDED",
        "output": {"id": "1"},
        "inspectionData": {
            "input": given,
            "afterInputPath": {"body": "b"},
            "afterParameters": {"QueueUrl": "q", "MessageBody": "b"},
            "result": result,
            "afterResultSelector": {"id": "1"},
            "afterResultPath": given | {"sent": {"id": "1"}},
        },
    }


async def test_jsonata_and_variables(client: Any):
    state = {
        "QueryLanguage": "JSONata",
        "Type": "Task",
        "Resource": "arn:aws:states:::aws-sdk:sqs:sendMessage",
        "Arguments": {"QueueUrl": "q", "MessageBody": "{% $greeting & $states.input %}"},
        "Assign": {"id": "{% $states.result.MessageId %}"},
        "Output": "{% $states.context.Execution.Name %}",
        "Next": "Then",
    }
    found = await trial(
        client,
        state,
        "you",
        mock={"result": {"MessageId": "1"}},
        variables={"greeting": "hello "},
        context={"Execution": {"Name": "e"}},
        inspectionLevel="DEBUG",
    )
    assert (found["output"], found["nextState"]) == ("e", "Then")
    assert found["inspectionData"]["afterArguments"] == {"QueueUrl": "q", "MessageBody": "hello you"}
    assert found["inspectionData"]["variables"] == {"greeting": "hello ", "id": "1"}


RETRY = [{"ErrorEquals": ["A"], "MaxAttempts": 0}, {"ErrorEquals": ["B"], "IntervalSeconds": 3, "MaxAttempts": 2}]
CATCH = [{"ErrorEquals": ["Z"], "Next": "No"}, {"ErrorEquals": ["States.ALL"], "ResultPath": "$.e", "Next": "Caught"}]


@pytest.mark.parametrize(
    ("error", "retries", "expected"),
    [
        ("B", 0, {"status": "RETRIABLE", "errorDetails": {"retryIndex": 1, "retryBackoffIntervalSeconds": 3}}),
        ("B", 1, {"status": "RETRIABLE", "errorDetails": {"retryIndex": 1, "retryBackoffIntervalSeconds": 6}}),
        ("B", 2, {"status": "CAUGHT_ERROR", "errorDetails": {"catchIndex": 1}}),
        ("A", 0, {"status": "CAUGHT_ERROR", "errorDetails": {"catchIndex": 1}}),
        ("States.Runtime", 0, {"status": "FAILED", "errorDetails": None}),
    ],
)
async def test_retry_and_catch(client: Any, error: str, retries: int, expected: dict[str, Any]):
    found = await trial(
        client,
        ACTIVITY | {"Retry": RETRY, "Catch": CATCH},
        {"n": 1},
        mock={"errorOutput": {"error": error, "cause": "c"}},
        stateConfiguration={"retrierRetryCount": retries},
        inspectionLevel="DEBUG",
    )
    assert (found["error"], found["cause"]) == (error, "c")
    assert found["status"] == expected["status"]
    assert found["inspectionData"].get("errorDetails") == expected["errorDetails"]
    if found["status"] == "CAUGHT_ERROR":
        assert found["output"] == {"n": 1, "e": {"Error": error, "Cause": "c"}}
        assert found["nextState"] == "Caught"


async def test_a_real_service_is_called(client: Any):
    found = await trial(client, FETCH, {"table": "none"}, inspectionLevel="DEBUG")
    assert (found["status"], found["error"]) == ("FAILED", "DynamoDb.ResourceNotFoundException")
    assert found["inspectionData"]["afterParameters"]["TableName"] == "none"


MAP = {
    "Type": "Map",
    "ItemsPath": "$.items",
    "ItemSelector": {"n.$": "$$.Map.Item.Value", "i.$": "$$.Map.Item.Index"},
    "ItemProcessor": {"StartAt": "Inner", "States": {"Inner": {"Type": "Pass", "Result": 7, "End": True}}},
    "ResultPath": "$.done",
    "End": True,
}


async def test_a_map_is_mocked(client: Any):
    found = await trial(client, MAP, {"items": [5]}, mock={"result": [1]}, inspectionLevel="DEBUG")
    assert found["output"] == {"items": [5], "done": [1]}
    assert found["inspectionData"]["afterItemsPath"] == [5]
    assert found["inspectionData"]["afterItemSelector"] == [{"n": 5, "i": 0}]


DISTRIBUTED = {
    "Type": "Map",
    "ItemReader": {
        "Resource": "arn:aws:states:::s3:getObject",
        "ReaderConfig": {"InputType": "JSON", "ItemsPointer": "/items"},
        "Parameters": {"Bucket": "b", "Key": "k"},
    },
    "ItemProcessor": {
        "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"},
        "StartAt": "Inner",
        "States": {"Inner": {"Type": "Pass", "End": True}},
    },
    "ItemBatcher": {"MaxItemsPerBatch": 2},
    "MaxConcurrencyPath": "$.most",
    "ToleratedFailurePercentage": 50,
    "Catch": [{"ErrorEquals": ["States.ExceedToleratedFailureThreshold"], "Next": "Caught"}],
    "End": True,
}


async def test_what_no_reader_can_read(client: Any):
    found = await trial(
        client,
        DISTRIBUTED,
        {"most": 3},
        mock={"result": [1]},
        inspectionLevel="DEBUG",
        stateConfiguration={"mapItemReaderData": '{"other": 1}'},
    )
    assert found["status"] == "SUCCEEDED"
    assert "afterItemBatcher" not in found["inspectionData"]


@pytest.mark.parametrize(("failures", "status"), [(0, "SUCCEEDED"), (1, "SUCCEEDED"), (2, "CAUGHT_ERROR")])
async def test_a_distributed_map_is_mocked(client: Any, failures: int, status: str):
    found = await trial(
        client,
        DISTRIBUTED,
        {"most": 3},
        mock={"result": [1]},
        inspectionLevel="DEBUG",
        stateConfiguration={
            "mapItemReaderData": '{"items": [1, 2, 3]}',
            "mapIterationFailureCount": failures,
        },
    )
    assert found["status"] == status
    shown = found["inspectionData"]
    assert (shown["maxConcurrency"], shown["toleratedFailurePercentage"]) == (3, 50)
    assert shown["afterItemsPointer"] == [1, 2, 3]
    assert shown["afterItemBatcher"] == [{"Items": [1, 2]}, {"Items": [3]}]


async def test_a_map_that_speaks_jsonata_is_mocked(client: Any):
    state = {
        "QueryLanguage": "JSONata",
        "Type": "Map",
        "Items": "{% $states.input.items %}",
        "ItemSelector": {"n": "{% $states.context.Map.Item.Value %}"},
        "ItemProcessor": {"StartAt": "Inner", "States": {"Inner": {"Type": "Succeed"}}},
        "Output": "{% $states.result[0] %}",
        "End": True,
    }
    found = await trial(client, state, {"items": [5]}, mock={"result": [1]}, inspectionLevel="DEBUG")
    assert found["output"] == 1
    assert found["inspectionData"]["afterItemSelector"] == [{"n": 5}]


async def test_a_state_of_a_whole_definition(client: Any):
    machine = {"StartAt": "Each", "States": {"Each": MAP}}
    assert (await trial(client, machine, 1, stateName="Inner"))["output"] == 7
    async with refused("ValidationException"):
        await trial(client, machine, 1, stateName="Nope")


@pytest.mark.parametrize(
    ("state", "options", "code"),
    [
        (ACTIVITY, {}, "InvalidDefinition"),
        (MAP, {}, "InvalidDefinition"),
        (FETCH | {"Resource": "arn:aws:states:::batch:submitJob.sync"}, {}, "InvalidDefinition"),
        ({"Type": "Pass"}, {}, "InvalidDefinition"),
        ({"Type": "Pass", "End": True}, {"mock": {"result": 1}}, "ValidationException"),
        (FETCH, {"mock": {"result": {}, "errorOutput": {"error": "E"}}}, "ValidationException"),
        (FETCH, {"mock": {}}, "ValidationException"),
        (FETCH, {"mock": {"result": {"Item": []}}}, "ValidationException"),
        (FETCH, {"mock": {"result": {"Itme": {}}}}, "ValidationException"),
        (FETCH, {"context": {}}, "ValidationException"),
        (FETCH, {"variables": []}, "ValidationException"),
    ],
)
async def test_what_cannot_be_tried(client: Any, state: dict[str, Any], options: dict[str, Any], code: str):
    async with refused(code):
        await trial(client, state, {"table": "t"}, **options)


async def test_validation_of_mocks_may_be_weaker(client: Any):
    mock = {"result": {"ConsumedCapacity": {"TableName": "t"}}, "fieldValidationMode": "PRESENT"}
    assert (await trial(client, FETCH, {"table": "t"}, mock=mock))["status"] == "SUCCEEDED"
    mock = {"result": "anything", "fieldValidationMode": "NONE"}
    assert (await trial(client, FETCH, {"table": "t"}, mock=mock))["output"] == "anything"
