"""SendTaskSuccess, SendTaskFailure and SendTaskHeartbeat: what is taken, and what is refused with which code."""

import asyncio
import json
import uuid
from typing import Any

import pytest

from tests.account import Account
from tests.local.helpers import Activity, connect, history, refused
from workers.local import LocalStepFunctions

CALLS = {
    "send_task_success": {"output": "{}"},
    "send_task_failure": {"error": "Broken", "cause": "by the test"},
    "send_task_heartbeat": {},
}
every_call = pytest.mark.parametrize(("call", "arguments"), CALLS.items(), ids=CALLS)


async def test_a_result_becomes_the_output(activity: Activity, account: Account):
    execution = await account.start(activity.machine(), {"x": 1})
    token, value = await activity.task()
    assert value == {"x": 1}
    await activity.succeed(token, {"y": ["é", 2.5, None]})
    ended = await account.ended(execution)
    assert ended["status"] == "SUCCEEDED"
    assert json.loads(ended["output"]) == {"y": ["é", 2.5, None]}
    assert await history(account, execution) == [
        "ExecutionStarted",
        "TaskStateEntered",
        "ActivityScheduled",
        "ActivityStarted",
        "ActivitySucceeded",
        "TaskStateExited",
        "ExecutionSucceeded",
    ]


async def test_a_failure_becomes_the_error(activity: Activity, account: Account):
    execution = await account.start(activity.machine())
    token, _ = await activity.task()
    await activity.fail(token, "Own.Error", "a cause")
    ended = await account.ended(execution)
    assert (ended["status"], ended["error"], ended["cause"]) == ("FAILED", "Own.Error", "a cause")
    failed = await account.reached(execution, "ActivityFailed")
    assert failed["activityFailedEventDetails"] == {"error": "Own.Error", "cause": "a cause"}


async def test_a_failure_without_particulars(activity: Activity, account: Account):
    execution = await account.start(activity.machine())
    token, _ = await activity.task()
    await activity.client.send_task_failure(taskToken=token)
    ended = await account.ended(execution)
    assert ended["status"] == "FAILED"
    assert "error" not in ended
    assert "cause" not in ended


async def test_a_reserved_error_name(activity: Activity, account: Account):
    execution = await account.start(activity.machine(Retry=[{"ErrorEquals": ["States.Timeout"], "IntervalSeconds": 1}]))
    for error in ("States.Timeout", "States.OwnInvention"):
        token, _ = await activity.task()
        await activity.fail(token, error)
    assert (await account.ended(execution))["error"] == "States.OwnInvention"


async def test_results_sent_the_instant_after_the_poll(activity: Activity, account: Account):
    executions = [await account.start(activity.machine(), number) for number in range(20)]

    async def work() -> None:
        token, value = await activity.task()
        await activity.succeed(token, value)

    async with asyncio.timeout(20):
        await asyncio.gather(*(work() for _ in executions))
        ended = [await account.ended(execution) for execution in executions]
    assert [json.loads(found["output"]) for found in ended] == list(range(20))


@every_call
async def test_what_was_never_a_token(client: Any, call: str, arguments: dict[str, str]):
    async with refused("InvalidToken") as error:
        await getattr(client, call)(taskToken="nonsense", **arguments)
    assert str(error.value).endswith("Invalid Token: 'Invalid token'")


@every_call
async def test_a_token_of_a_task_that_is_unknown(client: Any, call: str, arguments: dict[str, str]):
    async with refused("TaskDoesNotExist"):
        await getattr(client, call)(taskToken=str(uuid.uuid4()), **arguments)


@every_call
async def test_a_token_that_was_used(activity: Activity, account: Account, call: str, arguments: dict[str, str]):
    execution = await account.start(activity.machine())
    token, _ = await activity.task()
    await activity.succeed(token)
    async with refused("TaskTimedOut") as error:
        await getattr(activity.client, call)(taskToken=token, **arguments)
    assert str(error.value).endswith("Task Timed Out: 'Provided task does not exist anymore'")
    await account.ended(execution)
    async with refused("TaskTimedOut"):
        await getattr(activity.client, call)(taskToken=token, **arguments)


@pytest.mark.parametrize("output", ["", "{", "nonsense", "{'a': 1}", "[" * 100_000])
async def test_an_output_that_is_not_json(activity: Activity, account: Account, output: str):
    execution = await account.start(activity.machine())
    token, _ = await activity.task()
    async with refused("InvalidOutput"):
        await activity.client.send_task_success(taskToken=token, output=output)
    await activity.succeed(token, "the task is still open")
    assert (await account.ended(execution))["status"] == "SUCCEEDED"


async def test_an_output_over_the_limit_of_bytes(activity: Activity, account: Account):
    execution = await account.start(activity.machine())
    token, _ = await activity.task()
    fits, over = json.dumps("é" * 131_071, ensure_ascii=False), json.dumps("é" * 131_072, ensure_ascii=False)
    async with refused("ValidationException"):
        await activity.client.send_task_success(taskToken=token, output=over)
    await activity.client.send_task_success(taskToken=token, output=fits)
    assert (await account.ended(execution))["status"] in {"SUCCEEDED", "FAILED"}


async def test_a_heartbeat_where_none_is_asked_for(activity: Activity, account: Account):
    execution = await account.start(activity.machine())
    token, _ = await activity.task()
    for _ in range(3):
        await activity.client.send_task_heartbeat(taskToken=token)
    await activity.succeed(token)
    assert (await account.ended(execution))["status"] == "SUCCEEDED"


async def test_tokens_of_an_engine_before(client: Any, activity: Activity, account: Account):
    await account.start(activity.machine())
    token, _ = await activity.task()
    async with LocalStepFunctions() as other, connect(other) as stranger, refused("TaskDoesNotExist"):
        await stranger.send_task_success(taskToken=token, output="1")
    await activity.succeed(token)
