"""TimeoutSeconds, HeartbeatSeconds, and the timeout of a whole execution."""

import asyncio
from typing import Any

import pytest

from tests.account import Account
from tests.local.helpers import WAIT, Activity, history, refused

TIMED_OUT = ["ActivityScheduled", "ActivityStarted", "ActivityTimedOut", "ExecutionFailed"]


async def test_a_task_that_takes_too_long(activity: Activity, account: Account):
    execution = await account.start(activity.machine(TimeoutSeconds=1))
    token, _ = await activity.task()
    ended = await account.ended(execution)
    assert (ended["status"], ended["error"]) == ("FAILED", "States.Timeout")
    assert (await history(account, execution))[2:] == TIMED_OUT
    scheduled = await account.reached(execution, "ActivityScheduled")
    assert scheduled["activityScheduledEventDetails"]["timeoutInSeconds"] == 1
    for call in ("send_task_success", "send_task_heartbeat"):
        arguments = {"output": "1"} if call == "send_task_success" else {}
        async with refused("TaskTimedOut"):
            await getattr(activity.client, call)(taskToken=token, **arguments)


async def test_the_time_of_a_task_counts_from_its_start(activity: Activity, account: Account):
    execution = await account.start(activity.machine(TimeoutSeconds=2))
    await asyncio.sleep(2.5)  # in the queue; AWS counts from ActivityStarted
    token, value = await activity.task()
    await activity.succeed(token, value)
    assert (await account.ended(execution))["status"] == "SUCCEEDED"


async def test_heartbeats_do_not_lengthen_a_task(activity: Activity, account: Account):
    execution = await account.start(activity.machine(TimeoutSeconds=3, HeartbeatSeconds=2))
    token, _ = await activity.task()

    async def beat() -> None:
        while True:
            await activity.client.send_task_heartbeat(taskToken=token)
            await asyncio.sleep(0.2)

    async with refused("TaskTimedOut"):
        await beat()
    ended = await account.ended(execution)
    assert ended["error"] == "States.Timeout"
    assert (ended["stopDate"] - ended["startDate"]).total_seconds() >= 3


async def test_a_task_that_beats_goes_on(activity: Activity, account: Account):
    execution = await account.start(activity.machine(HeartbeatSeconds=2))
    token, value = await activity.task()
    for _ in range(5):
        await asyncio.sleep(0.5)
        await activity.client.send_task_heartbeat(taskToken=token)
    await activity.succeed(token, value)
    assert (await account.ended(execution))["status"] == "SUCCEEDED"
    scheduled = (await account.reached(execution, "ActivityScheduled"))["activityScheduledEventDetails"]
    assert scheduled["heartbeatInSeconds"] == 2
    assert "timeoutInSeconds" not in scheduled


@pytest.mark.parametrize("error", ["States.HeartbeatTimeout", "States.Timeout", "States.ALL"])
async def test_a_missed_heartbeat_can_be_caught(activity: Activity, account: Account, error: str):
    catch = [{"ErrorEquals": ["States.TaskFailed"], "Next": "Wrong"}, {"ErrorEquals": [error], "Next": "Right"}]
    machine = activity.machine(HeartbeatSeconds=1, Catch=catch)
    machine["States"] |= {name: {"Type": "Pass", "Result": name, "End": True} for name in ("Right", "Wrong")}
    execution = await account.start(machine)
    await activity.task()
    ended = await account.ended(execution)
    assert ended["output"] == '"Right"'
    timed_out = await account.reached(execution, "ActivityTimedOut")
    assert timed_out["activityTimedOutEventDetails"] == {"error": "States.Timeout"}


async def test_paths_give_the_seconds(activity: Activity, account: Account):
    machine = activity.machine(TimeoutSecondsPath="$.timeout", HeartbeatSecondsPath="$.heartbeat")
    execution = await account.start(machine, {"timeout": 30, "heartbeat": 1})
    await activity.task()
    assert (await account.ended(execution))["error"] == "States.Timeout"
    scheduled = (await account.reached(execution, "ActivityScheduled"))["activityScheduledEventDetails"]
    assert (scheduled["timeoutInSeconds"], scheduled["heartbeatInSeconds"]) == (30, 1)


@pytest.mark.parametrize("started", [False, True], ids=["queued", "started"])
async def test_an_execution_that_takes_too_long(activity: Activity, account: Account, started: bool):
    execution = await account.start({**activity.machine(), "TimeoutSeconds": 1})
    token = (await activity.task())[0] if started else None
    ended = await account.ended(execution)
    assert ended["status"] == "TIMED_OUT"
    assert "error" not in ended
    last = (await account.events(execution))[-1]
    assert (last["type"], last["previousEventId"]) == ("ExecutionTimedOut", 0)
    assert last["executionTimedOutEventDetails"] == {"error": "States.Timeout"}
    if token:
        async with refused("TaskTimedOut"):
            await activity.succeed(token)
    else:
        assert await activity.poll() is None


async def test_an_execution_times_out_in_a_wait(account: Account):
    ended = await account.run({**WAIT, "TimeoutSeconds": 1})
    assert ended["status"] == "TIMED_OUT"


async def test_a_task_in_a_branch_that_takes_too_long(activity: Activity, account: Account):
    branch = {"StartAt": "Slow", "States": {"Slow": activity.state(TimeoutSeconds=1)}}
    caught = [{"ErrorEquals": ["States.Timeout"], "ResultPath": "$.error", "Next": "Caught"}]
    machine: dict[str, Any] = {
        "StartAt": "Both",
        "States": {
            "Both": {"Type": "Parallel", "Branches": [branch], "Catch": caught, "End": True},
            "Caught": {"Type": "Pass", "End": True},
        },
    }
    execution = await account.start(machine, {})
    await activity.task()
    assert (await account.ended(execution))["output"] == '{"error":{"Error":"States.Timeout","Cause":""}}'
