"""The bad day over HTTP."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import anyio
import pytest
from botocore.exceptions import ClientError, ConnectionClosedError

from tests.account import Account
from tests.local.helpers import PASS, WAIT, Activity, connect, create_machine, refused
from workers.local import LocalStepFunctions
from workers.local.harsh import bad_day, visibility
from workers.local.harsh.bad_day import BadDay


@pytest.fixture
async def local(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[LocalStepFunctions]:
    """A bad day on which what is created is seen at once, and no answer is lost unless a test says so."""
    monkeypatch.setattr("workers.local.harsh.visibility.LONGEST", 0.0)
    monkeypatch.setattr(bad_day, "LOST_ANSWERS", 0.0)
    async with LocalStepFunctions(harsh=True, seed=1, poll_hold=5) as local:
        yield local


@pytest.fixture
async def client(local: LocalStepFunctions) -> AsyncIterator[Any]:
    async with connect(local) as client:
        yield client


async def test_too_many_requests_are_throttled(client: Any):
    for number in range(100):
        await client.create_activity(name=f"activity-{number}")
    async with refused("ThrottlingException") as error:
        for _ in range(20):  # one more each second
            await client.create_activity(name="activity")
    assert error.value.response["Error"]["Message"] == "Rate exceeded"
    assert error.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400


async def test_an_answer_is_lost_and_what_was_asked_is_done(client: Any, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(bad_day, "LOST_ANSWERS", 1.0)
    with pytest.raises(ConnectionClosedError):
        await client.create_activity(name="activity")
    monkeypatch.setattr(bad_day, "LOST_ANSWERS", 0.0)
    assert [activity["name"] for activity in (await client.list_activities())["activities"]] == ["activity"]


async def test_a_dropped_poll_swallows_a_task(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(visibility, "LONGEST", 0.0)
    monkeypatch.setattr(bad_day, "LOST_ANSWERS", 0.0)
    still = LocalStepFunctions(harsh=True, seed=1, poll_hold=60, clock="manual")
    async with still as local, connect(local) as client:
        activity, account = Activity(client), Account(client)
        await client.create_activity(name=activity.name)
        poll = asyncio.create_task(activity.poll())
        while not at_work(local, "a poll on a bad day"):
            await asyncio.sleep(0.01)
        poll.cancel()
        await asyncio.wait([poll])
        while at_work(local, "requests of a connection"):  # until the engine knows that the client has gone
            await asyncio.sleep(0.01)
        assert at_work(local, "a poll on a bad day")
        execution = await account.start(activity.machine(HeartbeatSeconds=60, Retry=[{"ErrorEquals": ["States.ALL"]}]))
        await account.reached(execution, "ActivityStarted")
        await local.advance(60)
        await local.advance(1)  # until it is tried again
        token, _ = await activity.task()
        await activity.succeed(token)
        assert (await account.ended(execution))["status"] == "SUCCEEDED"
        history = await client.get_execution_history(executionArn=execution)
        assert [event["type"] for event in history["events"]].count("ActivityTimedOut") == 1


def at_work(local: LocalStepFunctions, name: str) -> bool:
    """Whether the engine has a task of that name on its event loop."""
    return any(task.get_name() == name for task in asyncio.all_tasks(local._loop))


async def test_missing_keys_are_denied(local: LocalStepFunctions):
    async with connect(local, "s3") as s3:
        await s3.create_bucket(Bucket="bucket")
        await s3.put_object(Bucket="bucket", Key="here", Body=b"x")
        await s3.get_object(Bucket="bucket", Key="here")
        async with refused("AccessDenied"):
            await s3.get_object(Bucket="bucket", Key="missing")
        async with refused("403"):
            await s3.head_object(Bucket="bucket", Key="missing")
        async with refused("NoSuchBucket"):
            await s3.get_object(Bucket="none", Key="missing")
        assert (await s3.list_objects_v2(Bucket="bucket"))["KeyCount"] == 1


async def test_an_update_is_seen_in_the_end_whatever_was_started_meanwhile(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(visibility, "LONGEST", 0.0)
    monkeypatch.setattr(bad_day, "LOST_ANSWERS", 0.0)
    async with LocalStepFunctions(harsh=True, seed=1, data=tmp_path) as local, connect(local) as client:
        machine = await create_machine(client, PASS)
        monkeypatch.setattr(visibility, "LONGEST", 5.0)
        await client.update_state_machine(stateMachineArn=machine, definition=json.dumps(WAIT))
        await asyncio.gather(*(client.start_execution(stateMachineArn=machine) for _ in range(8)))
        with anyio.fail_after(20):
            while json.loads((await client.describe_state_machine(stateMachineArn=machine))["definition"]) != WAIT:
                await asyncio.sleep(0.2)


def test_events_are_lost_doubled_and_shuffled():
    events = list(range(10_000))
    arrived = BadDay(1).delivered(events)
    assert arrived == BadDay(1).delivered(events) != BadDay(2).delivered(events)
    assert len(events) - len(set(arrived)) in range(100, 300)
    assert len(arrived) - len(set(arrived)) in range(300, 700)
    assert sorted(arrived) != arrived


async def test_the_same_seed_brings_the_same_faults(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(bad_day, "LOST_ANSWERS", 0.5)

    async def lost(seed: int) -> list[bool]:
        found = []
        async with LocalStepFunctions(harsh=True, seed=seed) as local, connect(local) as client:
            for _ in range(20):
                try:
                    await client.list_activities()
                except ConnectionClosedError:
                    found.append(True)
                except ClientError as error:
                    pytest.fail(str(error))
                else:
                    found.append(False)
        return found

    assert await lost(1) == await lost(1) != await lost(2)
