"""RedriveExecution: what failed runs again, what succeeded does not."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.account import Account
from tests.local.helpers import PASS, Activity, connect, history, refused
from workers.local import LocalStepFunctions


async def test_of_a_task_that_failed(activity: Activity, account: Account):
    client = account.client
    machine = activity.machine(Retry=[{"ErrorEquals": ["Never"]}])
    machine["States"]["Work"] |= {"Next": "After"}
    del machine["States"]["Work"]["End"]
    machine["States"]["After"] = {"Type": "Pass", "End": True}
    execution = await account.start(machine, {"x": 1})
    token, _ = await activity.task()
    await activity.fail(token)
    failed = await account.ended(execution)
    assert (failed["redriveStatus"], failed["redriveCount"]) == ("REDRIVABLE", 0)
    redriven = await client.redrive_execution(executionArn=execution)
    running = await client.describe_execution(executionArn=execution)
    assert (running["status"], running["redriveCount"]) == ("RUNNING", 1)
    assert running["redriveDate"] == redriven["redriveDate"]
    assert running["redriveStatus"] == "NOT_REDRIVABLE"
    token, value = await activity.task()
    assert value == {"x": 1}
    await activity.succeed(token, "done")
    assert (await account.ended(execution))["output"] == '"done"'
    assert await history(account, execution) == [
        "ExecutionStarted",
        "TaskStateEntered",
        "ActivityScheduled",
        "ActivityStarted",
        "ActivityFailed",
        "ExecutionFailed",
        "ExecutionRedriven",
        "ActivityScheduled",
        "ActivityStarted",
        "ActivitySucceeded",
        "TaskStateExited",
        "PassStateEntered",
        "PassStateExited",
        "ExecutionSucceeded",
    ]
    event = await account.reached(execution, "ExecutionRedriven")
    assert event["executionRedrivenEventDetails"] == {"redriveCount": 1}
    listed = await client.list_executions(stateMachineArn=failed["stateMachineArn"], redriveFilter="REDRIVEN")
    assert [found["executionArn"] for found in listed["executions"]] == [execution]


async def test_only_what_failed_runs_again(activity: Activity, account: Account):
    branches = [{"StartAt": f"Work{n}", "States": {f"Work{n}": activity.state(Parameters={"n": n})}} for n in range(2)]
    each = {"StartAt": "Item", "States": {"Item": activity.state()}}
    machine: dict[str, Any] = {
        "StartAt": "Fork",
        "States": {
            "Fork": {"Type": "Parallel", "Branches": branches, "ResultPath": None, "Next": "Each"},
            "Each": {"Type": "Map", "ItemsPath": "$.items", "ItemProcessor": each, "End": True},
        },
    }
    execution = await account.start(machine, {"items": ["a", "b", "c"]})
    tasks = {value["n"]: token for token, value in [await activity.task() for _ in range(2)]}
    await activity.succeed(tasks[0], "first")
    await activity.fail(tasks[1])
    await account.ended(execution)
    await account.client.redrive_execution(executionArn=execution)
    token, value = await activity.task()
    assert value == {"n": 1}
    await activity.succeed(token, "second")
    items = {value: token for token, value in [await activity.task() for _ in range(3)]}
    await activity.succeed(items["b"], "B")
    await account.reached(execution, "MapIterationSucceeded")
    await activity.fail(items["a"])
    await account.ended(execution)
    await account.client.redrive_execution(executionArn=execution)
    again = {value: token for token, value in [await activity.task() for _ in range(2)]}
    assert set(again) == {"a", "c"}
    for value, token in again.items():
        await activity.succeed(token, value.upper())
    ended = await account.ended(execution)
    assert json.loads(ended["output"]) == ["A", "B", "C"]
    assert ended["redriveCount"] == 2


@pytest.mark.parametrize("mode", ["INLINE", "DISTRIBUTED"])
async def test_of_a_map_within_a_branch(activity: Activity, account: Account, mode: str):
    """What failed runs again, and what was ended with it; what succeeded does not."""
    config = {"Mode": mode} | ({"ExecutionType": "STANDARD"} if mode == "DISTRIBUTED" else {})
    item = {"StartAt": "Item", "States": {"Item": activity.state()}, "ProcessorConfig": config}
    each = {"Type": "Map", "ItemsPath": "$.items", "ItemProcessor": item, "End": True}
    beside = activity.state(InputPath="$.beside")
    branches = [{"StartAt": "Each", "States": {"Each": each}}, {"StartAt": "Beside", "States": {"Beside": beside}}]
    machine = {"StartAt": "Fork", "States": {"Fork": {"Type": "Parallel", "Branches": branches, "End": True}}}
    execution = await account.start(machine, {"items": ["a", "b"], "beside": "c"})
    tasks = {value: token for token, value in [await activity.task() for _ in range(3)]}
    await activity.succeed(tasks["a"], "A")
    if mode == "INLINE":
        await account.reached(execution, "MapIterationSucceeded")
    else:
        run = (await account.client.list_map_runs(executionArn=execution))["mapRuns"][0]["mapRunArn"]
        while (await account.client.describe_map_run(mapRunArn=run))["itemCounts"]["succeeded"] == 0:
            pass
    await activity.fail(tasks["b"])
    await account.ended(execution)
    await account.client.redrive_execution(executionArn=execution)
    again = {value: token for token, value in [await activity.task() for _ in range(2)]}
    assert again.keys() == {"b", "c"}
    for value, token in again.items():
        await activity.succeed(token, value.upper())
    ended = await account.ended(execution)
    assert json.loads(ended["output"]) == [["A", "B"], "C"]


async def test_of_one_that_was_stopped_or_timed_out(activity: Activity, account: Account):
    stopped = await account.start(activity.machine(), 1)
    await activity.task()
    await account.client.stop_execution(executionArn=stopped)
    late = await account.start({**activity.machine(), "TimeoutSeconds": 1}, 2)
    await activity.task()
    assert (await account.ended(late))["status"] == "TIMED_OUT"
    for execution in (stopped, late):
        await account.client.redrive_execution(executionArn=execution)
        token, value = await activity.task()
        await activity.succeed(token, value)
        assert (await account.ended(execution))["status"] == "SUCCEEDED"


async def test_with_the_same_client_token_only_once(tmp_path: Path):
    async with LocalStepFunctions(data=tmp_path) as local, connect(local) as client:
        activity, account = Activity(client), Account(client)
        execution = await account.start(activity.machine())
        await client.stop_execution(executionArn=execution)
        first = await client.redrive_execution(executionArn=execution, clientToken="same")
        again = await client.redrive_execution(executionArn=execution, clientToken="same")
        async with refused("ExecutionNotRedrivable"):
            await client.redrive_execution(executionArn=execution, clientToken="other")
    async with LocalStepFunctions(data=tmp_path, clock="manual") as local, connect(local) as client:
        later = await client.redrive_execution(executionArn=execution, clientToken="same")
        assert first["redriveDate"] == again["redriveDate"] == later["redriveDate"]
        assert (await client.describe_execution(executionArn=execution))["redriveCount"] == 1
        await local.advance(1_000)
        async with refused("ExecutionNotRedrivable"):
            await client.redrive_execution(executionArn=execution, clientToken="same")


async def test_what_cannot_be_redriven(activity: Activity, account: Account):
    done = (await account.run(PASS))["executionArn"]
    running = await account.start(activity.machine())
    for execution in (done, running):
        async with refused("ExecutionNotRedrivable"):
            await account.client.redrive_execution(executionArn=execution)
    await account.client.stop_execution(executionArn=running)
