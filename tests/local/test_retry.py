"""Retry and Catch."""

import json
from typing import Any

from tests.account import Account
from tests.local.helpers import Activity, types

QUICK = {"IntervalSeconds": 1, "BackoffRate": 1.0}


async def test_a_task_is_tried_again_until_it_succeeds(activity: Activity, account: Account):
    retry = [{"ErrorEquals": ["Broken"], "MaxAttempts": 3, **QUICK}]
    execution = await account.start(activity.machine(Retry=retry), "value")
    tokens = set()
    for _ in range(2):
        token, value = await activity.task()
        assert value == "value"
        tokens.add(token)
        await activity.fail(token)
    token, _ = await activity.task()
    await activity.succeed(token, "at last")
    assert json.loads((await account.ended(execution))["output"]) == "at last"
    assert len({*tokens, token}) == 3
    attempt = ["ActivityScheduled", "ActivityStarted", "ActivityFailed"]
    events = types(await account.events(execution))
    assert events[2:-2] == [*attempt, *attempt, "ActivityScheduled", "ActivityStarted", "ActivitySucceeded"]


async def test_retries_wait_longer_each_time(activity: Activity, account: Account):
    retry = [{"ErrorEquals": ["States.ALL"], "IntervalSeconds": 1, "BackoffRate": 2.0, "MaxAttempts": 2}]
    execution = await account.start(activity.machine(Retry=retry))
    for _ in range(3):
        token, _ = await activity.task()
        await activity.fail(token)
    assert (await account.ended(execution))["status"] == "FAILED"
    events = await account.events(execution)
    failed = [event["timestamp"] for event in events if event["type"] == "ActivityFailed"]
    scheduled = [event["timestamp"] for event in events if event["type"] == "ActivityScheduled"]
    waits = [(after - before).total_seconds() for before, after in zip(failed, scheduled[1:], strict=False)]
    assert waits[0] >= 0.99
    assert waits[1] >= 1.99


async def test_the_first_retrier_that_matches_decides(activity: Activity, account: Account):
    retry = [
        {"ErrorEquals": ["Never"], "MaxAttempts": 0},
        {"ErrorEquals": ["Broken", "Other"], "MaxAttempts": 1, **QUICK},
        {"ErrorEquals": ["States.ALL"], "MaxAttempts": 5, **QUICK},
    ]
    execution = await account.start(activity.machine(Retry=retry))
    for error in ("Other", "Never"):
        token, _ = await activity.task()
        await activity.fail(token, error)
    assert (await account.ended(execution))["error"] == "Never"


async def test_the_context_counts_the_attempts(activity: Activity, account: Account):
    machine = activity.machine(
        Parameters={"attempt.$": "$$.State.RetryCount", "entered.$": "$$.State.EnteredTime"},
        Retry=[{"ErrorEquals": ["States.TaskFailed"], "MaxAttempts": 1, **QUICK}],
    )
    execution = await account.start(machine)
    token, first = await activity.task()
    await activity.fail(token)
    token, second = await activity.task()
    await activity.succeed(token)
    assert (first["attempt"], second["attempt"]) == (0, 1)
    assert first["entered"] == second["entered"]
    assert first["entered"].endswith("Z")
    await account.ended(execution)


async def test_an_error_is_caught_into_a_path(activity: Activity, account: Account):
    catch = [
        {"ErrorEquals": ["Other"], "Next": "Wrong"},
        {"ErrorEquals": ["States.ALL"], "ResultPath": "$.failure", "Next": "Caught"},
    ]
    machine: dict[str, Any] = activity.machine(Catch=catch)
    machine["States"] |= {"Wrong": {"Type": "Fail"}, "Caught": {"Type": "Pass", "End": True}}
    execution = await account.start(machine, {"kept": 1})
    token, _ = await activity.task()
    await activity.fail(token, "Broken", '{"errorType": "Broken"}')
    ended = await account.ended(execution)
    failure = {"Error": "Broken", "Cause": '{"errorType": "Broken"}'}
    assert json.loads(ended["output"]) == {"kept": 1, "failure": failure}


async def test_retry_comes_before_catch(activity: Activity, account: Account):
    machine = activity.machine(
        Retry=[{"ErrorEquals": ["States.ALL"], "MaxAttempts": 1, **QUICK}],
        Catch=[{"ErrorEquals": ["States.ALL"], "Next": "Caught"}],
    )
    machine["States"]["Caught"] = {"Type": "Succeed"}
    execution = await account.start(machine)
    for _ in range(2):
        token, _ = await activity.task()
        await activity.fail(token)
    ended = await account.ended(execution)
    assert ended["status"] == "SUCCEEDED"
    assert json.loads(ended["output"])["Error"] == "Broken"
