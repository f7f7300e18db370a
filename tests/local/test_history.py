"""GetExecutionHistory: whole, in pages, backwards, without data."""

import asyncio
import json
from typing import Any

import pytest

from tests.account import Account
from tests.local.helpers import PASS, Activity, create_machine, refused

MANY = {
    "StartAt": "Each",
    "States": {
        "Each": {
            "Type": "Map",
            "MaxConcurrency": 1,
            "ItemProcessor": {"StartAt": "Same", "States": {"Same": {"Type": "Pass", "End": True}}},
            "End": True,
        }
    },
}


async def _pages(client: Any, execution: str, **options: Any) -> list[list[dict[str, Any]]]:
    pages, token = [], {}
    while True:
        page = await client.get_execution_history(executionArn=execution, **options, **token)
        pages.append(page["events"])
        if "nextToken" not in page:
            return pages
        token = {"nextToken": page["nextToken"]}


async def test_events_as_aws_writes_them(account: Account):
    execution = (await account.run(PASS, {"x": 1}))["executionArn"]
    events = await account.events(execution)
    for event in events:
        del event["timestamp"]
    assert events == [
        {
            "type": "ExecutionStarted",
            "id": 1,
            "previousEventId": 0,
            "executionStartedEventDetails": {
                "input": '{"x": 1}',
                "inputDetails": {"truncated": False},
                "roleArn": "arn:aws:iam::123456789012:role/states",
            },
        },
        {
            "type": "PassStateEntered",
            "id": 2,
            "previousEventId": 0,
            "stateEnteredEventDetails": {"name": "Pass", "input": '{"x": 1}', "inputDetails": {"truncated": False}},
        },
        {
            "type": "PassStateExited",
            "id": 3,
            "previousEventId": 2,
            "stateExitedEventDetails": {"name": "Pass", "output": '{"x": 1}', "outputDetails": {"truncated": False}},
        },
        {
            "type": "ExecutionSucceeded",
            "id": 4,
            "previousEventId": 3,
            "executionSucceededEventDetails": {"output": '{"x": 1}', "outputDetails": {"truncated": False}},
        },
    ]


@pytest.mark.parametrize("reverse", [False, True])
async def test_pages(account: Account, reverse: bool):
    execution = (await account.run(MANY, list(range(40))))["executionArn"]
    whole = (await account.client.get_execution_history(executionArn=execution, maxResults=1000))["events"]
    assert [event["id"] for event in whole] == list(range(1, 40 * 4 + 7))
    pages = await _pages(account.client, execution, maxResults=50, reverseOrder=reverse)
    assert [len(page) for page in pages] == [50, 50, 50, 16]
    assert [event for page in pages for event in page] == (whole[::-1] if reverse else whole)
    default = await _pages(account.client, execution)
    assert [len(page) for page in default] == [100, 66]


async def test_pages_of_a_history_that_grows(activity: Activity, account: Account):
    execution = await account.start(activity.machine())
    token, _ = await activity.task()
    await account.reached(execution, "ActivityStarted")
    first = await account.client.get_execution_history(executionArn=execution, maxResults=2, reverseOrder=True)
    assert [event["type"] for event in first["events"]] == ["ActivityStarted", "ActivityScheduled"]
    await activity.succeed(token)
    await account.ended(execution)
    second = await account.client.get_execution_history(
        executionArn=execution, maxResults=2, reverseOrder=True, nextToken=first["nextToken"]
    )
    assert [event["type"] for event in second["events"]] == ["TaskStateEntered", "ExecutionStarted"]


async def test_without_data(account: Account):
    execution = (await account.run(PASS, {"secret": 1}))["executionArn"]
    answer = await account.client.get_execution_history(executionArn=execution, includeExecutionData=False)
    assert "secret" not in str(answer["events"])
    assert answer["events"][1]["stateEnteredEventDetails"]["name"] == "Pass"


async def test_times_go_forward(account: Account):
    ended = await account.run(MANY, list(range(10)))
    times = [event["timestamp"] for event in await account.events(ended["executionArn"])]
    assert times == sorted(times)
    assert ended["startDate"] <= times[0]
    assert times[-1] == ended["stopDate"]


async def test_side_by_side_events_have_ids_of_their_own(activity: Activity, account: Account):
    branches = [{"StartAt": f"Work{n}", "States": {f"Work{n}": activity.state()}} for n in range(8)]
    machine = {"StartAt": "Fork", "States": {"Fork": {"Type": "Parallel", "Branches": branches, "End": True}}}
    execution = await account.start(machine, {})

    async def work() -> None:
        token, _ = await activity.task()
        await activity.succeed(token)

    await asyncio.gather(*(work() for _ in branches))
    await account.ended(execution)
    events = await account.events(execution)
    assert [event["id"] for event in events] == list(range(1, len(events) + 1))
    assert all(event["previousEventId"] < event["id"] for event in events)


@pytest.mark.parametrize("token", ["nonsense", "aTE=nonsense", "c2FjdGl2aXR5", "aQ=="])
async def test_a_page_token_of_something_else(account: Account, token: str):
    execution = (await account.run(PASS))["executionArn"]
    async with refused("InvalidToken"):
        await account.client.get_execution_history(executionArn=execution, nextToken=token)


async def test_unknown_executions(client: Any):
    async with refused("ExecutionDoesNotExist"):
        await client.get_execution_history(executionArn="arn:aws:states:us-east-1:123456789012:execution:no:no")
    async with refused("InvalidArn") as error:
        await client.get_execution_history(executionArn="nonsense")
    assert str(error.value).endswith("Invalid Arn: 'Invalid ARN prefix: nonsense'")


async def test_an_express_execution_has_no_limit_of_events(account: Account, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("workers.local.executions.EVENT_LIMIT", 50)
    machine = await create_machine(account.client, MANY, type="EXPRESS")
    ended = await account.client.start_sync_execution(stateMachineArn=machine, input=json.dumps(list(range(40))))
    assert ended["status"] == "SUCCEEDED"


async def test_a_history_that_reaches_its_limit(account: Account, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("workers.local.executions.EVENT_LIMIT", 50)
    ended = await account.run(MANY, list(range(40)))
    assert (ended["status"], ended["error"]) == ("FAILED", "States.Runtime")
    events = await account.events(ended["executionArn"])
    assert len(events) == 50
    assert events[-1]["type"] == "ExecutionFailed"
