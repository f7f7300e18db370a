"""Distributed Maps: executions of their own, from S3 and to it."""

import json
from typing import Any

import pytest

from tests.account import Account, unique
from tests.local.helpers import Activity, connect, history, refused
from workers.local import LocalStepFunctions

SAME = {"StartAt": "Same", "States": {"Same": {"Type": "Pass", "End": True}}}
FAIL = {"StartAt": "Odd", "States": {"Odd": {"Type": "Fail", "Error": "Own"}}}


def each(processor: dict[str, Any], **fields: Any) -> dict[str, Any]:
    """A machine of one Distributed Map."""
    config = {"ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}}
    state = {"Type": "Map", "Label": "Items", "ItemProcessor": {**processor, **config}, "End": True, **fields}
    return {"StartAt": "Each", "States": {"Each": state}}


@pytest.fixture
async def bucket(engine: LocalStepFunctions) -> Any:
    """A bucket of its own: its name, and a client of S3."""
    async with connect(engine, "s3") as s3:
        name = unique("bucket")
        await s3.create_bucket(Bucket=name)
        yield name, s3


async def _map_run(account: Account, execution: str) -> dict[str, Any]:
    listed = (await account.client.list_map_runs(executionArn=execution))["mapRuns"]
    assert len(listed) == 1
    return await account.client.describe_map_run(mapRunArn=listed[0]["mapRunArn"])


async def test_each_item_has_an_execution(account: Account):
    execution = await account.start(each(SAME, ItemSelector={"n.$": "$$.Map.Item.Value"}), [1, 2, 3])
    ended = await account.ended(execution)
    assert json.loads(ended["output"]) == [{"n": 1}, {"n": 2}, {"n": 3}]
    found = await _map_run(account, execution)
    assert (found["status"], found["itemCounts"]["succeeded"], found["executionCounts"]["total"]) == ("SUCCEEDED", 3, 3)
    listed = (await account.client.list_executions(mapRunArn=found["mapRunArn"]))["executions"]
    assert len(listed) == 3
    assert all("/Items:" in child["executionArn"] for child in listed)
    child = await account.client.describe_execution(executionArn=listed[-1]["executionArn"])
    assert json.loads(child["input"]) == {"n": 1}
    assert child["mapRunArn"] == found["mapRunArn"]
    assert await history(account, listed[0]["executionArn"]) == [
        "ExecutionStarted",
        "PassStateEntered",
        "PassStateExited",
        "ExecutionSucceeded",
    ]


async def test_batches(account: Account):
    machine = each(SAME, ItemBatcher={"MaxItemsPerBatch": 2, "BatchInput": {"all.$": "$.all"}}, ItemsPath="$.items")
    output = await account.output(machine, {"items": [1, 2, 3], "all": True})
    assert output == [
        {"BatchInput": {"all": True}, "Items": [1, 2]},
        {"BatchInput": {"all": True}, "Items": [3]},
    ]


async def test_more_failures_than_are_tolerated(account: Account):
    execution = await account.start(each(FAIL), [1, 2])
    ended = await account.ended(execution)
    assert (ended["error"], ended["cause"]) == (
        "States.ExceedToleratedFailureThreshold",
        "The specified tolerated failure threshold was exceeded",
    )
    assert (await history(account, execution))[2:] == [
        "MapStateStarted",
        "MapRunStarted",
        "MapRunFailed",
        "MapStateFailed",
        "ExecutionFailed",
    ]
    assert (await _map_run(account, execution))["status"] == "FAILED"


@pytest.mark.parametrize("tolerated", [{"ToleratedFailureCount": 2}, {"ToleratedFailurePercentage": 100}])
async def test_failures_that_are_tolerated(account: Account, tolerated: dict[str, int]):
    execution = await account.start(each(FAIL, **tolerated), [1, 2])
    assert (await account.ended(execution))["status"] == "SUCCEEDED"
    assert (await _map_run(account, execution))["itemCounts"]["failed"] == 2


async def test_limits_that_change_on_the_way(activity: Activity, account: Account):
    processor = {"StartAt": "Work", "States": {"Work": activity.state()}}
    execution = await account.start(each(processor, MaxConcurrency=1), ["a", "b", "c"])
    first, _ = await activity.task()
    assert await activity.poll() is None
    found = await _map_run(account, execution)
    assert (found["itemCounts"]["running"], found["itemCounts"]["pending"]) == (1, 2)
    await account.client.update_map_run(mapRunArn=found["mapRunArn"], maxConcurrency=3)
    tokens = [first, *[(await activity.task())[0] for _ in range(2)]]
    for token in tokens:
        await activity.succeed(token, token)
    assert json.loads((await account.ended(execution))["output"]) == tokens
    async with refused("ValidationException"):
        await account.client.update_map_run(mapRunArn=found["mapRunArn"], maxConcurrency=3)


async def test_a_redrive_runs_only_what_failed(activity: Activity, account: Account):
    processor = {"StartAt": "Work", "States": {"Work": activity.state()}}
    execution = await account.start(each(processor), ["a", "b"])
    tokens = {value: token for token, value in [await activity.task() for _ in range(2)]}
    await activity.succeed(tokens["a"], "A")
    run = await _map_run(account, execution)
    while run["itemCounts"]["succeeded"] == 0:
        run = await _map_run(account, execution)
    await activity.fail(tokens["b"])
    await account.ended(execution)
    await account.client.redrive_execution(executionArn=execution)
    token, value = await activity.task()
    assert value == "b"
    await activity.succeed(token, "B")
    assert json.loads((await account.ended(execution))["output"]) == ["A", "B"]
    assert "MapRunRedriven" in await history(account, execution)
    assert (await _map_run(account, execution))["redriveCount"] == 1


FILES = {
    "JSON": (b'[{"x": "1"}, {"x": "2"}]', {"InputType": "JSON"}),
    "JSON within": (
        b'{"deep": {"items": [{"x": "1"}, {"x": "2"}]}}',
        {"InputType": "JSON", "ItemsPointer": "/deep/items"},
    ),
    "JSONL": (b'{"x": "1"}\n{"x": "2"}\n', {"InputType": "JSONL"}),
    "CSV": (b"x\n1\n2\n3\n", {"InputType": "CSV", "CSVHeaderLocation": "FIRST_ROW", "MaxItems": 2}),
    "CSV without headers": (
        b"1|\n2|\n",
        {"InputType": "CSV", "CSVHeaderLocation": "GIVEN", "CSVHeaders": ["x"], "CSVDelimiter": "PIPE"},
    ),
}


@pytest.mark.parametrize(("content", "config"), FILES.values(), ids=FILES)
async def test_items_from_s3(account: Account, bucket: Any, content: bytes, config: dict[str, Any]):
    name, s3 = bucket
    await s3.put_object(Bucket=name, Key="items", Body=content)
    reader = {
        "Resource": "arn:aws:states:::s3:getObject",
        "ReaderConfig": config,
        "Parameters": {"Bucket": name, "Key": "items"},
    }
    assert await account.output(each(SAME, ItemReader=reader), {}) == [{"x": "1"}, {"x": "2"}]


async def test_items_that_cannot_be_read(account: Account, bucket: Any):
    reader = {
        "Resource": "arn:aws:states:::s3:getObject",
        "ReaderConfig": {"InputType": "JSON"},
        "Parameters": {"Bucket": bucket[0], "Key": "missing"},
    }
    error, _ = await account.failure(each(SAME, ItemReader=reader), {})
    assert error == "States.ItemReaderFailed"


async def test_the_objects_of_a_bucket(account: Account, bucket: Any):
    name, s3 = bucket
    for key in ("a/1", "a/2", "b/1"):
        await s3.put_object(Bucket=name, Key=key, Body=b"")
    reader = {"Resource": "arn:aws:states:::s3:listObjectsV2", "Parameters": {"Bucket": name, "Prefix": "a/"}}
    selector = {"key.$": "$$.Map.Item.Value.Key"}
    output = await account.output(each(SAME, ItemReader=reader, ItemSelector=selector), {})
    assert output == [{"key": "a/1"}, {"key": "a/2"}]


async def test_results_to_s3(account: Account, bucket: Any):
    name, s3 = bucket
    writer = {"Resource": "arn:aws:states:::s3:putObject", "Parameters": {"Bucket": name, "Prefix": "results"}}
    output = await account.output(each(SAME, ResultWriter=writer), [1, 2])
    where = output["ResultWriterDetails"]
    assert where["Bucket"] == name
    manifest = json.loads(await (await s3.get_object(**where))["Body"].read())
    assert manifest["MapRunArn"] == output["MapRunArn"]
    (succeeded,) = manifest["ResultFiles"]["SUCCEEDED"]
    results = json.loads(await (await s3.get_object(Bucket=name, Key=succeeded["Key"]))["Body"].read())
    assert [json.loads(result["Output"]) for result in results] == [1, 2]
    assert {result["Status"] for result in results} == {"SUCCEEDED"}
