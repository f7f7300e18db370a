"""StopExecution, wherever the execution is."""

import asyncio
import json
from typing import Any

from tests.account import Account
from tests.local.helpers import PASS, WAIT, Activity, history, refused


async def _stopped(account: Account, execution: str) -> dict[str, Any]:
    answer = await account.client.stop_execution(executionArn=execution, error="Stopped", cause="by the test")
    ended = await account.ended(execution)
    assert (ended["status"], ended["error"], ended["cause"]) == ("ABORTED", "Stopped", "by the test")
    assert ended["stopDate"] == answer["stopDate"]
    last = (await account.events(execution))[-1]
    assert last["type"] == "ExecutionAborted"
    assert last["executionAbortedEventDetails"] == {"error": "Stopped", "cause": "by the test"}
    assert last["previousEventId"] == 0
    return ended


async def test_during_a_running_activity(activity: Activity, account: Account):
    execution = await account.start(activity.machine())
    token, _ = await activity.task()
    await account.reached(execution, "ActivityStarted")
    await _stopped(account, execution)
    async with refused("TaskTimedOut"):
        await activity.client.send_task_heartbeat(taskToken=token)
    async with refused("TaskTimedOut"):
        await activity.succeed(token)
    assert (await history(account, execution))[-2:] == ["ActivityStarted", "ExecutionAborted"]


async def test_of_a_queued_activity(activity: Activity, account: Account):
    execution = await account.start(activity.machine())
    await account.reached(execution, "ActivityScheduled")
    await _stopped(account, execution)
    assert await activity.poll() is None
    other = await account.start(activity.machine(), "next")
    token, value = await activity.task()
    assert value == "next"
    await activity.succeed(token)
    await account.ended(other)


async def test_during_the_wait_before_a_retry(activity: Activity, account: Account):
    retry = [{"ErrorEquals": ["States.ALL"], "IntervalSeconds": 600}]
    execution = await account.start(activity.machine(Retry=retry))
    token, _ = await activity.task()
    await activity.fail(token)
    await account.reached(execution, "ActivityFailed")
    await _stopped(account, execution)
    assert (await history(account, execution))[-2:] == ["ActivityFailed", "ExecutionAborted"]


async def test_of_a_wait(account: Account):
    execution = await account.start(WAIT)
    await account.reached(execution, "WaitStateEntered")
    await _stopped(account, execution)


async def test_of_branches_and_iterations(activity: Activity, account: Account):
    branch = {"StartAt": "Work", "States": {"Work": activity.state()}}
    processor = {"StartAt": "WorkOn", "States": {"WorkOn": activity.state()}}
    each = {"Type": "Map", "ItemsPath": "$.items", "ItemProcessor": processor, "End": True}
    machine = {
        "StartAt": "Both",
        "States": {
            "Both": {
                "Type": "Parallel",
                "Branches": [branch, {"StartAt": "Each", "States": {"Each": each}}],
                "End": True,
            }
        },
    }
    execution = await account.start(machine, {"items": [1, 2, 3]})
    tokens = [(await activity.task())[0] for _ in range(4)]
    await _stopped(account, execution)
    for token in tokens:
        async with refused("TaskTimedOut"):
            await activity.succeed(token)
    assert await activity.poll() is None


async def test_nothing_is_written_after_the_end(activity: Activity, account: Account):
    execution = await account.start(activity.machine())
    token, _ = await activity.task()
    stop, success = await asyncio.gather(
        account.client.stop_execution(executionArn=execution), activity.succeed(token), return_exceptions=True
    )
    del stop, success  # either may come first
    ended = await account.ended(execution)
    events = await history(account, execution)
    last = {"ABORTED": "ExecutionAborted", "SUCCEEDED": "ExecutionSucceeded"}[ended["status"]]
    assert events[-1] == last
    assert [event for event in events if event.startswith("Execution")] == ["ExecutionStarted", last]


async def test_of_one_that_has_ended(account: Account):
    ended = await account.run(PASS, {"x": 1})
    answer = await account.client.stop_execution(executionArn=ended["executionArn"])
    assert answer["stopDate"] == ended["stopDate"]
    again = await account.ended(ended["executionArn"])
    assert (again["status"], json.loads(again["output"])) == ("SUCCEEDED", {"x": 1})


async def test_of_one_that_is_unknown(client: Any):
    async with refused("ExecutionDoesNotExist"):
        await client.stop_execution(executionArn="arn:aws:states:us-east-1:123456789012:execution:machine:name")
