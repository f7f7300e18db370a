"""GetActivityTask: long polls, and tasks that are handed out once, in order, to those who are there."""

import asyncio
import json
import time
from typing import Any

import aiohttp
import pytest

from tests.account import Account
from tests.local.helpers import Activity, connect, create_machine, refused
from workers.local import LocalStepFunctions
from workers.local.activities import Queue
from workers.local.clock import Clock
from workers.local.tasks import Attempt


async def test_create_is_idempotent(client: Any, activity: Activity):
    again = await client.create_activity(name=activity.name)
    assert again["activityArn"] == activity.arn
    described = await client.describe_activity(activityArn=activity.arn)
    assert described["creationDate"] == again["creationDate"]
    assert described["name"] == activity.name


@pytest.mark.parametrize(
    "name", ["two words", "a/b", "a:b", "arn:aws:states:us-east-1:123456789012:activity:a", "\x7f"]
)
async def test_names_that_aws_refuses(client: Any, name: str):
    async with refused("InvalidName"):
        await client.create_activity(name=name)


async def test_too_long_a_name(client: Any):
    async with refused("ValidationException") as error:
        await client.create_activity(name="a" * 81)
    assert "Member must have length less than or equal to 80" in str(error.value)


async def test_activities_are_listed_in_pages(patient: Any):
    names = [f"activity-{number:02}" for number in range(25)]
    for name in reversed(names):
        await patient.create_activity(name=name)
    pages = [page async for page in patient.get_paginator("list_activities").paginate(maxResults=10)]
    assert [len(page["activities"]) for page in pages] == [10, 10, 5]
    assert [activity["name"] for page in pages for activity in page["activities"]] == names


async def test_an_unknown_activity(client: Any):
    activity = Activity(client)
    async with refused("ActivityDoesNotExist") as error:
        await activity.poll()
    assert str(error.value).endswith(f"Activity Does Not Exist: '{activity.arn}'")
    async with refused("InvalidArn"):
        await client.get_activity_task(activityArn="arn:aws:states:us-east-1:123456789012:stateMachine:machine")
    async with refused("InvalidArn"):
        await client.get_activity_task(activityArn="activity")


async def test_a_deleted_activity(client: Any, activity: Activity):
    await client.delete_activity(activityArn=activity.arn)
    await client.delete_activity(activityArn=activity.arn)
    async with refused("ActivityDoesNotExist"):
        await activity.poll()
    async with refused("ActivityDoesNotExist"):
        await client.describe_activity(activityArn=activity.arn)


async def test_a_poll_ends_when_its_activity_is_deleted(patient: Any):
    activity = Activity(patient)
    await patient.create_activity(name=activity.name)
    poll = asyncio.create_task(activity.poll())
    await asyncio.sleep(0.2)
    await patient.delete_activity(activityArn=activity.arn)
    async with refused("ActivityDoesNotExist"):
        await poll


async def test_a_poll_without_a_task_is_held_and_then_empty():
    async with LocalStepFunctions(poll_hold=0.5) as local, connect(local) as client:
        activity = Activity(client)
        await client.create_activity(name=activity.name)
        before = time.monotonic()
        answer = await client.get_activity_task(activityArn=activity.arn)
        assert time.monotonic() - before >= 0.5
        assert "taskToken" not in answer
        assert "input" not in answer


async def test_an_open_poll_wakes_up_for_a_task(patient: Any):
    activity = Activity(patient)
    account = Account(patient)
    await patient.create_activity(name=activity.name)
    poll = asyncio.create_task(activity.poll("sleeper"))
    await asyncio.sleep(0.3)
    before = time.monotonic()
    execution = await account.start(activity.machine(), {"number": 1})
    found = await poll
    assert time.monotonic() - before < 5  # and not the 60 seconds for which a poll is held
    assert found is not None
    assert json.loads(found["input"]) == {"number": 1}
    started = await account.reached(execution, "ActivityStarted")
    assert started["activityStartedEventDetails"] == {"workerName": "sleeper"}


async def test_tasks_leave_in_the_order_they_came(client: Any, activity: Activity, account: Account):
    machine = await create_machine(client, activity.machine())
    for number in range(12):
        started = await client.start_execution(stateMachineArn=machine, input=json.dumps(number))
        await account.reached(started["executionArn"], "ActivityScheduled")
    assert [(await activity.task())[1] for _ in range(12)] == list(range(12))


def _task(number: int, served: dict[str, str | None]) -> Attempt:
    """A task that notes in `served` which worker it is given to."""

    def note(worker: str | None) -> None:
        served[str(number)] = worker

    return Attempt({"token": str(number)}, Clock(), on_start=note, on_end=lambda outcome: None)


async def test_polls_are_served_in_the_order_they_were_opened():
    queue, served = Queue(Clock()), {}
    polls = [asyncio.create_task(queue.take(f"worker-{number}", hold=60)) for number in range(5)]
    await asyncio.sleep(0)
    polls[1].cancel()
    tasks = [_task(number, served) for number in range(4)]
    tasks[2].close()
    for task in tasks:
        queue.put(task)
    await asyncio.gather(polls[0], polls[2], polls[4])
    assert served == {"0": "worker-0", "1": "worker-2", "3": "worker-4"}
    polls[3].cancel()


async def test_a_task_on_its_way_to_a_client_that_goes_is_the_next_one_again():
    queue, served = Queue(Clock()), {}
    poll = asyncio.create_task(queue.take("gone", hold=60))
    await asyncio.sleep(0)
    for number in range(2):
        queue.put(_task(number, served))
    poll.cancel()  # its task is given to it, but it has not gone on yet
    with pytest.raises(asyncio.CancelledError):
        await poll
    for _ in range(2):
        await queue.take("here", hold=0)
    assert list(served.items()) == [("0", "here"), ("1", "here")]


async def test_each_task_is_handed_out_once(patient: Any):
    activity = Activity(patient)
    await patient.create_activity(name=activity.name)
    machine = await create_machine(patient, activity.machine())
    polls = [asyncio.create_task(activity.poll()) for _ in range(20)]
    starts = [patient.start_execution(stateMachineArn=machine, input=str(number)) for number in range(30)]
    await asyncio.gather(*starts)
    polls += [asyncio.create_task(activity.poll()) for _ in range(10)]
    found = [task for task in await asyncio.gather(*polls) if task]
    assert sorted(int(task["input"]) for task in found) == list(range(30))
    assert len({task["taskToken"] for task in found}) == 30


async def test_a_poll_whose_client_has_gone_eats_no_task():
    async with LocalStepFunctions() as local, connect(local) as client:
        activity = Activity(client)
        await client.create_activity(name=activity.name)
        for _ in range(10):
            await _poll_and_leave(local, activity)
        account = Account(client)
        executions = [await account.start(activity.machine(), number) for number in range(3)]
        async with asyncio.timeout(5):
            for number in range(3):
                token, value = await activity.task()
                assert value == number
                await activity.succeed(token, value)
        assert [(await account.ended(execution))["status"] for execution in executions] == ["SUCCEEDED"] * 3


async def _poll_and_leave(local: LocalStepFunctions, activity: Activity) -> None:
    """Opens a poll and breaks the connection while it is held."""
    headers = {"X-Amz-Target": "AWSStepFunctions.GetActivityTask", "Content-Type": "application/x-amz-json-1.0"}
    timeout = aiohttp.ClientTimeout(total=0.15)
    with pytest.raises(TimeoutError):
        async with aiohttp.ClientSession(timeout=timeout) as session:
            await session.post(local.url, headers=headers, data=json.dumps({"activityArn": activity.arn}))


async def test_more_polls_than_aws_allows(patient: Any, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("workers.local.activities.POLLS_PER_ACTIVITY", 2)
    activity = Activity(patient)
    await patient.create_activity(name=activity.name)
    polls = [asyncio.create_task(activity.poll()) for _ in range(3)]
    (over,), held = await asyncio.wait(polls, return_when=asyncio.FIRST_COMPLETED)
    async with refused("ActivityWorkerLimitExceeded"):
        await over
    await patient.delete_activity(activityArn=activity.arn)
    ends = await asyncio.gather(*held, return_exceptions=True)
    assert all("ActivityDoesNotExist" in str(end) for end in ends)


async def test_a_task_waits_for_an_activity_that_is_created_again(client: Any, activity: Activity, account: Account):
    execution = await account.start(activity.machine(), "kept")
    await account.reached(execution, "ActivityScheduled")
    await client.delete_activity(activityArn=activity.arn)
    await client.create_activity(name=activity.name)
    token, value = await activity.task()
    await activity.succeed(token, value)
    assert (await account.ended(execution))["status"] == "SUCCEEDED"
