"""Time: skipped when nothing runs, or moved by hand."""

import asyncio
import json
import time
from pathlib import Path
from typing import Any

import pytest

from tests.account import Account
from tests.local.helpers import PASS, WAIT, Activity, connect, create_machine, history
from workers.local import LocalStepFunctions
from workers.local.options import ClockName

DAY = 86_400


def _slow(activity: Activity) -> dict[str, Any]:
    """An hour's wait, then a task that is retried after ten minutes, in a machine that may take a day."""
    retry = [{"ErrorEquals": ["States.ALL"], "IntervalSeconds": 600, "MaxAttempts": 1}]
    return {
        "StartAt": "Wait",
        "TimeoutSeconds": DAY,
        "States": {
            "Wait": {"Type": "Wait", "Seconds": 3_600, "Next": "Work"},
            "Work": activity.state(Retry=retry, TimeoutSeconds=300, HeartbeatSeconds=100),
        },
    }


async def test_waits_and_retries_are_skipped_but_not_a_handler():
    async with LocalStepFunctions(clock="skip") as local, connect(local) as client:
        activity, account = Activity(client), Account(client)
        began = time.monotonic()
        execution = await account.start(_slow(activity), {"x": 1})
        token, _ = await activity.task()
        await activity.fail(token)
        token, value = await activity.task()
        await asyncio.sleep(0.2)  # a handler runs: neither its heartbeat nor its timeout is skipped
        await activity.succeed(token, value)
        ended = await account.ended(execution)
        assert json.loads(ended["output"]) == {"x": 1}
        assert 4_200 <= (ended["stopDate"] - ended["startDate"]).total_seconds() < 4_300
        assert time.monotonic() - began < 30


async def test_a_task_that_nobody_polls_ends_with_its_machine():
    async with LocalStepFunctions(clock="skip") as local, connect(local) as client:
        activity, account = Activity(client), Account(client)
        await client.create_activity(name=activity.name)
        ended = await account.run({**activity.machine(TimeoutSeconds=10), "TimeoutSeconds": DAY})
        assert ended["status"] == "TIMED_OUT"
        assert (ended["stopDate"] - ended["startDate"]).total_seconds() >= DAY


@pytest.mark.parametrize("clock", ["skip", "manual"])
async def test_time_does_not_jump_back_at_a_restart(tmp_path: Path, clock: ClockName):
    wait = {"StartAt": "Wait", "States": {"Wait": {"Type": "Wait", "Seconds": DAY, "End": True}}}
    async with LocalStepFunctions(data=tmp_path, clock=clock) as local, connect(local) as client:
        account = Account(client)
        execution = await account.start(wait)
        if clock == "manual":
            await local.advance(DAY)
        before = await account.ended(execution)
    async with LocalStepFunctions(data=tmp_path, clock=clock) as local, connect(local) as client:
        started = await client.start_execution(stateMachineArn=before["stateMachineArn"])
        assert started["startDate"] >= before["stopDate"]


async def test_machines_versions_and_aliases_have_dates_of_the_clock():
    async with LocalStepFunctions(clock="manual") as local, connect(local) as client:
        execution = await Account(client).start(PASS)
        began = (await client.describe_execution(executionArn=execution))["startDate"]
        await local.advance(DAY)
        arn = await create_machine(client, PASS)
        version = await client.publish_state_machine_version(stateMachineArn=arn)
        routes = [{"stateMachineVersionArn": version["stateMachineVersionArn"], "weight": 100}]
        alias = await client.create_state_machine_alias(name="live", routingConfiguration=routes)
        machine = await client.describe_state_machine(stateMachineArn=arn)
        await local.advance(DAY)
        updated = await client.update_state_machine(stateMachineArn=arn, definition=json.dumps(WAIT))
        changed = await client.update_state_machine_alias(
            stateMachineAliasArn=alias["stateMachineAliasArn"], description="changed"
        )
    for made in (version, alias, machine):
        assert (made["creationDate"] - began).total_seconds() == pytest.approx(DAY, abs=0.01)
    for made in (updated, changed):
        assert (made["updateDate"] - began).total_seconds() == pytest.approx(2 * DAY, abs=0.01)


async def test_a_nested_execution_is_skipped_too():
    async with LocalStepFunctions(clock="skip") as local, connect(local) as client:
        account = Account(client)
        inner = {"StartAt": "Wait", "States": {"Wait": {"Type": "Wait", "Seconds": DAY, "End": True}}}
        machine = await create_machine(client, inner)
        run = {
            "Type": "Task",
            "Resource": "arn:aws:states:::states:startExecution.sync:2",
            "Parameters": {"StateMachineArn": machine},
            "End": True,
        }
        ended = await account.run({"StartAt": "Run", "States": {"Run": run}})
        assert ended["status"] == "SUCCEEDED"


async def test_time_that_is_moved_by_hand():
    async with LocalStepFunctions(clock="manual", poll_hold=0.3) as local, connect(local) as client:
        activity, account = Activity(client), Account(client)
        execution = await account.start(_slow(activity), None)
        await account.reached(execution, "WaitStateEntered")
        await local.advance(3_599)
        assert (await history(account, execution))[-1] == "WaitStateEntered"
        await local.advance(1)
        assert (await history(account, execution))[-1] == "ActivityScheduled"
        await activity.task()
        await local.advance(99)
        assert (await history(account, execution))[-1] == "ActivityStarted"
        await local.advance(1)
        assert (await history(account, execution))[-1] == "ActivityTimedOut"
        await local.advance(600)
        assert (await history(account, execution))[-1] == "ActivityScheduled"
        await local.advance(DAY)
        assert (await account.ended(execution))["status"] == "TIMED_OUT"
