"""Distributed Maps: executions of their own, from S3 and to it."""

import gzip
import io
import json
import sys
from typing import Any

import pytest
from arro3.core import Array, DataType, Table
from arro3.io import write_parquet

from tests.account import ROLE, Account
from tests.local.helpers import Activity, history, refused
from workers.local.states.parquet import rows

SAME = {"StartAt": "Same", "States": {"Same": {"Type": "Pass", "End": True}}}
FAIL = {"StartAt": "Odd", "States": {"Odd": {"Type": "Fail", "Error": "Own"}}}


def each(processor: dict[str, Any], **fields: Any) -> dict[str, Any]:
    """A machine of one Distributed Map."""
    config = {"ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}}
    state = {"Type": "Map", "Label": "Items", "ItemProcessor": {**processor, **config}, "End": True, **fields}
    return {"StartAt": "Each", "States": {"Each": state}}


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
    start = execution.rpartition(":")[0]
    assert {child["executionArn"].rpartition(":")[0] for child in listed} == {f"{start}/Items"}
    child = await account.client.describe_execution(executionArn=listed[-1]["executionArn"])
    assert json.loads(child["input"]) == {"n": 1}
    assert child["mapRunArn"] == found["mapRunArn"]
    described = await account.client.describe_state_machine_for_execution(executionArn=child["executionArn"])
    assert (described["mapRunArn"], described["label"]) == (found["mapRunArn"], "Items")
    labelled, client = f"{described['stateMachineArn']}/Items", account.client
    for call in (client.start_execution, client.describe_state_machine, client.delete_state_machine):
        async with refused("ValidationException"):
            await call(stateMachineArn=labelled)
    async with refused("ValidationException"):
        await client.update_state_machine(stateMachineArn=labelled, roleArn=ROLE)
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


async def test_rows_of_parquet_from_s3(account: Account, bucket: Any):
    name, s3 = bucket
    table = Table.from_pydict(
        {
            "id": Array([1, 2], DataType.int64()),
            "name": Array(["x", None], DataType.string()),
            "share": Array([0.5, float("nan")], DataType.float64()),
            "raw": Array([b"\xff", None], DataType.binary()),
            "at": Array([1_710_381_540_000_000, None], DataType.int64()).cast(DataType.timestamp("us", tz="UTC")),
        }
    )
    write_parquet(table, file := io.BytesIO())
    await s3.put_object(Bucket=name, Key="items", Body=file.getvalue())
    assert await account.output(each(SAME, ItemReader=reading(name, "items", {"InputType": "PARQUET"})), {}) == [
        {"id": 1, "name": "x", "share": 0.5, "raw": "/w==", "at": "2024-03-14T01:59:00+00:00"},
        {"id": 2, "name": None, "share": None, "raw": None, "at": None},
    ]


def test_without_its_extra_parquet_says_what_to_install(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "arro3.io", None)
    with pytest.raises(ValueError, match=r"reading Parquet needs .*: pip install 'sfn-workers\[parquet\]'"):
        rows("PAR1")


CSV = {"InputType": "CSV", "CSVHeaderLocation": "FIRST_ROW"}
UNREADABLE = {
    "missing": (None, {"InputType": "JSON"}, "does not exist"),
    "no list": (b"5", {"InputType": "JSON"}, "Attempting to map over non-iterable node."),
    "no JSON": (b"[5", {"InputType": "JSON"}, "Attempting to read JSON from s3://"),
    "the same column twice": (b"x,x\n1,2\n", CSV, "CSV headers cannot contain duplicates."),
    "fewer than none": (b"x\n1\n", CSV | {"MaxItemsPath": "$.less"}, "field MaxItems must be positive"),
    "no parquet": (b"PAR1", {"InputType": "PARQUET"}, "it is no Parquet file"),
    "broken parquet": (b"PAR1 in the middle \xff\xff\xff\x7fPAR1", {"InputType": "PARQUET"}, "it is no Parquet file"),
    "no manifest": (b"{}", {"InputType": "MANIFEST"}, "fileFormat"),
}


@pytest.mark.parametrize(("content", "config", "why"), UNREADABLE.values(), ids=UNREADABLE)
async def test_items_that_cannot_be_read(
    account: Account, bucket: Any, content: bytes | None, config: dict[str, Any], why: str
):
    name, s3 = bucket
    if content is not None:
        await s3.put_object(Bucket=name, Key="items", Body=content)
    error, cause = await account.failure(each(SAME, ItemReader=reading(name, "items", config)), {"less": -1})
    assert error == "States.ItemReaderFailed"
    assert why in cause["text"]


def reading(bucket: str, key: str, config: dict[str, Any]) -> dict[str, Any]:
    """An ItemReader of one object."""
    resource = "arn:aws:states:::s3:getObject"
    return {"Resource": resource, "ReaderConfig": config, "Parameters": {"Bucket": bucket, "Key": key}}


async def test_the_objects_of_an_inventory(account: Account, bucket: Any):
    name, s3 = bucket
    await s3.put_object(Bucket=name, Key="data/1.csv.gz", Body=gzip.compress(b'"b","k1","5"\n"b","k2","6"\n'))
    await s3.put_object(Bucket=name, Key="data/2.csv.gz", Body=gzip.compress(b'"b","k3","7"\n'))
    manifest = {
        "destinationBucket": f"arn:aws:s3:::{name}",
        "fileFormat": "CSV",
        "fileSchema": "Bucket, Key, Size",
        "files": [{"key": "data/1.csv.gz"}, {"key": "data/2.csv.gz"}],
    }
    await s3.put_object(Bucket=name, Key="manifest.json", Body=json.dumps(manifest).encode())
    reader = reading(name, "manifest.json", {"InputType": "MANIFEST", "MaxItems": 3})
    selector = {"item.$": "$$.Map.Item.Value", "source.$": "$$.Map.Item.Source"}
    output = await account.output(each(SAME, ItemReader=reader, ItemSelector=selector), {})
    assert output[0] == {
        "item": {"Bucket": "b", "Key": "k1", "Size": "5"},
        "source": f"S3://{name}/data/1.csv.gz",
    }
    assert [one["item"]["Key"] for one in output] == ["k1", "k2", "k3"]


async def test_the_results_of_athena(account: Account, bucket: Any):
    name, s3 = bucket
    await s3.put_object(Bucket=name, Key="out/1", Body=b'{"x": 1}\n')
    await s3.put_object(Bucket=name, Key="out/2.gz", Body=gzip.compress(b'{"x": 2}\n'))
    await s3.put_object(Bucket=name, Key="m.csv", Body=f"s3://{name}/out/1\ns3://{name}/out/2.gz\n".encode())
    reader = reading(name, "m.csv", {"InputType": "JSONL", "ManifestType": "ATHENA_DATA"})
    assert await account.output(each(SAME, ItemReader=reader), {}) == [{"x": 1}, {"x": 2}]


async def test_all_files_of_a_folder(account: Account, bucket: Any):
    name, s3 = bucket
    for key, content in {"in/": b"", "in/a.json": b"[1, 2]", "in/b.json": b"[3]", "else": b"[4]"}.items():
        await s3.put_object(Bucket=name, Key=key, Body=content)
    reader = {
        "Resource": "arn:aws:states:::s3:listObjectsV2",
        "ReaderConfig": {"InputType": "JSON", "Transformation": "LOAD_AND_FLATTEN"},
        "Parameters": {"Bucket": name, "Prefix": "in/"},
    }
    assert await account.output(each(SAME, ItemReader=reader), {}) == [1, 2, 3]


async def test_where_an_item_comes_from(account: Account):
    output = await account.output(each(SAME, ItemSelector={"source.$": "$$.Map.Item.Source"}), [1])
    assert output == [{"source": "STATE_DATA"}]


CHOOSE = {
    "StartAt": "Which",
    "States": {
        "Which": {
            "Type": "Choice",
            "Choices": [{"Variable": "$", "IsNull": True, "Next": "Odd"}],
            "Default": "Even",
        },
        "Odd": {"Type": "Fail", "Error": "Own"},
        "Even": {"Type": "Pass", "End": True},
    },
}


@pytest.mark.parametrize(("form", "found"), [("COMPACT", [[1, 2]]), ("FLATTEN", [1, 2])])
async def test_results_in_another_form(account: Account, form: str, found: list[Any]):
    writer = {"WriterConfig": {"Transformation": form, "OutputType": "JSON"}}
    machine = each(CHOOSE, ResultWriter=writer, ToleratedFailureCount=1)
    *succeeded, failed = await account.output(machine, [[1, 2], None])
    assert succeeded == found
    assert (failed["Status"], failed["Error"], failed["Input"]) == ("FAILED", "Own", "null")


async def test_results_as_lines(account: Account, bucket: Any):
    name, s3 = bucket
    writer = {
        "Resource": "arn:aws:states:::s3:putObject",
        "Parameters": {"Bucket": name},
        "WriterConfig": {"Transformation": "FLATTEN", "OutputType": "JSONL"},
    }
    output = await account.output(each(CHOOSE, ResultWriter=writer, ToleratedFailureCount=1), [[1, 2], None, 3])
    manifest = json.loads(await (await s3.get_object(**output["ResultWriterDetails"]))["Body"].read())
    (succeeded,), (failed,) = manifest["ResultFiles"]["SUCCEEDED"], manifest["ResultFiles"]["FAILED"]
    assert await (await s3.get_object(Bucket=name, Key=succeeded["Key"]))["Body"].read() == b"1\n2\n3"
    assert json.loads(await (await s3.get_object(Bucket=name, Key=failed["Key"]))["Body"].read())["Error"] == "Own"


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
