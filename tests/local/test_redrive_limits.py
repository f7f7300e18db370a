"""RedriveExecution: what is too large runs again as a whole, waits are waited again, and there is an end to it."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.account import Account
from tests.local.helpers import PASS, Activity, connect, history, refused
from workers.local import LocalStepFunctions

DAY = 86_400
LARGE, SMALL = "x" * 140_000, "small"
FAIL = {"StartAt": "F", "States": {"F": {"Type": "Fail", "Error": "Own"}}}


@pytest.fixture
async def manual() -> AsyncIterator[tuple[LocalStepFunctions, Account]]:
    """An engine whose time stands still until it is moved."""
    async with LocalStepFunctions(clock="manual") as local, connect(local) as client:
        yield local, Account(client)


def each(processor: dict[str, Any], mode: str = "DISTRIBUTED", kind: str = "STANDARD", **fields: Any) -> dict[str, Any]:
    """A Map as a state."""
    config = {"Mode": mode} | ({"ExecutionType": kind} if mode == "DISTRIBUTED" else {})
    return {"Type": "Map", "ItemProcessor": {**processor, "ProcessorConfig": config}, "End": True, **fields}


def machine(state: dict[str, Any]) -> dict[str, Any]:
    return {"StartAt": "S", "States": {"S": state}}


async def map_runs(account: Account, execution: str) -> list[dict[str, Any]]:
    listed = (await account.client.list_map_runs(executionArn=execution))["mapRuns"]
    found = [await account.client.describe_map_run(mapRunArn=run["mapRunArn"]) for run in listed]
    return sorted(found, key=lambda run: run["startDate"])


async def redrive_status(account: Account, execution: str) -> tuple[str, str | None]:
    found = await account.client.describe_execution(executionArn=execution)
    return found["redriveStatus"], found.get("redriveStatusReason")


@pytest.mark.parametrize("kind", ["Parallel", "INLINE", "DISTRIBUTED"])
async def test_a_state_whose_own_output_was_too_large_runs_again_as_a_whole(
    activity: Activity, account: Account, kind: str
):
    works = [{"StartAt": f"Work{n}", "States": {f"Work{n}": activity.state()}} for n in range(2)]
    around = {"Type": "Parallel", "Branches": works, "End": True} if kind == "Parallel" else each(works[0], kind)
    execution = await account.start(machine(around), [1, 2])
    for _ in range(2):
        await activity.succeed((await activity.task())[0], LARGE)
    assert (await account.ended(execution))["error"] == "States.DataLimitExceeded"
    await account.client.redrive_execution(executionArn=execution)
    for _ in range(2):
        await activity.succeed((await activity.task())[0], SMALL)
    assert json.loads((await account.ended(execution))["output"]) == [SMALL, SMALL]
    assert len(await map_runs(account, execution)) == (2 if kind == "DISTRIBUTED" else 0)


async def test_of_branches_only_the_one_that_was_too_large_runs_again(activity: Activity, account: Account):
    works = [{"StartAt": f"Work{n}", "States": {f"Work{n}": activity.state()}} for n in range(2)]
    inner = {"Type": "Parallel", "Branches": works, "End": True}
    beside = {"StartAt": "Beside", "States": {"Beside": activity.state(Parameters={"beside": True})}}
    around = {"Type": "Parallel", "Branches": [{"StartAt": "In", "States": {"In": inner}}, beside], "End": True}
    execution = await account.start(machine(around), "inner")
    tasks = [await activity.task() for _ in range(3)]
    (first,) = [token for token, value in tasks if value == {"beside": True}]
    await activity.succeed(first, "done")
    for token, value in tasks:
        if value == "inner":
            await activity.succeed(token, LARGE)
    assert (await account.ended(execution))["error"] == "States.DataLimitExceeded"
    await account.client.redrive_execution(executionArn=execution)
    for _ in range(2):
        token, value = await activity.task()
        assert value == "inner"
        await activity.succeed(token, SMALL)
    assert json.loads((await account.ended(execution))["output"]) == [[SMALL, SMALL], "done"]


async def test_a_wait_that_was_ended_is_waited_again(manual: tuple[LocalStepFunctions, Account]):
    local, account = manual
    activity = Activity(account.client)
    await account.client.create_activity(name=activity.name)
    wait = {"StartAt": "W", "States": {"W": {"Type": "Wait", "Seconds": 100, "End": True}}}
    work = {"StartAt": "Work", "States": {"Work": activity.state()}}
    execution = await account.start(machine({"Type": "Parallel", "Branches": [wait, work], "End": True}), {})
    token, _ = await activity.task()
    await local.advance(90)
    await activity.fail(token)
    await account.ended(execution)
    await account.client.redrive_execution(executionArn=execution)
    await activity.succeed((await activity.task())[0])
    await local.advance(99)
    assert "WaitStateExited" not in await history(account, execution)
    await local.advance(1)
    assert (await account.ended(execution))["status"] == "SUCCEEDED"


async def test_after_14_days_it_cannot_be_redriven(manual: tuple[LocalStepFunctions, Account]):
    local, account = manual
    late = await account.start(machine(each(FAIL)), [1])
    await account.ended(late)
    (run,) = await map_runs(account, late)
    child = (await account.client.list_executions(mapRunArn=run["mapRunArn"]))["executions"][0]["executionArn"]
    assert await redrive_status(account, child) == ("REDRIVABLE_BY_MAP_RUN", None)
    assert run["itemCounts"]["failuresNotRedrivable"] == 0
    await local.advance(14 * DAY)
    assert await redrive_status(account, late) == ("REDRIVABLE", None)
    await local.advance(1)
    exceeded = "NOT_REDRIVABLE", "Execution redrivable period exceeded"
    assert await redrive_status(account, late) == await redrive_status(account, child) == exceeded
    (run,) = await map_runs(account, late)
    assert run["itemCounts"]["failuresNotRedrivable"] == run["executionCounts"]["failuresNotRedrivable"] == 1
    async with refused("ExecutionNotRedrivable") as error:
        await account.client.redrive_execution(executionArn=late)
    assert "Execution redrivable period exceeded" in str(error.value)


async def test_after_a_year_it_cannot_be_redriven(manual: tuple[LocalStepFunctions, Account]):
    local, account = manual
    execution = await account.start(machine({"Type": "Wait", "Seconds": 365 * DAY, "End": True}))
    await local.advance(364 * DAY)
    await account.client.stop_execution(executionArn=execution)
    await local.advance(2 * DAY)
    reason = "Execution has exceeded the max execution time"
    assert await redrive_status(account, execution) == ("NOT_REDRIVABLE", reason)


async def test_what_else_cannot_be_redriven(account: Account, monkeypatch: pytest.MonkeyPatch):
    execution = await account.start(machine(each(FAIL)), [1])
    ended = await account.ended(execution)
    (run,) = await map_runs(account, execution)
    child = (await account.client.list_executions(mapRunArn=run["mapRunArn"]))["executions"][0]["executionArn"]
    async with refused("ExecutionNotRedrivable"):
        await account.client.redrive_execution(executionArn=child)
    monkeypatch.setattr("workers.local.executions.REDRIVABLE_EVENTS", 3)
    reason = "Execution history event limit exceeded"
    assert await redrive_status(account, execution) == ("NOT_REDRIVABLE", reason)
    monkeypatch.undo()
    await account.client.delete_state_machine(stateMachineArn=ended["stateMachineArn"])
    reason = "State machine is in DELETING status"
    assert (
        await redrive_status(account, execution) == await redrive_status(account, child) == ("NOT_REDRIVABLE", reason)
    )
    async with refused("ExecutionNotRedrivable"):
        await account.client.redrive_execution(executionArn=execution)


async def test_what_has_not_failed_says_so_also_when_its_machine_is_gone(account: Account):
    execution = await account.start(PASS)
    ended = await account.ended(execution)
    await account.client.delete_state_machine(stateMachineArn=ended["stateMachineArn"])
    reason = "Execution is SUCCEEDED and cannot be redriven"
    assert await redrive_status(account, execution) == ("NOT_REDRIVABLE", reason)


@pytest.mark.parametrize("restarted", [False, True])
async def test_the_executions_of_a_map_wait_to_be_redriven(tmp_path: Path, restarted: bool):
    """Those that wait are no failures, be the engine started again meanwhile or not."""
    async with LocalStepFunctions(data=tmp_path) as local, connect(local) as client:
        activity, account = Activity(client), Account(client)
        await client.create_activity(name=activity.name)
        work = {"StartAt": "Work", "States": {"Work": activity.state()}}
        execution = await account.start(machine(each(work, MaxConcurrency=1, ToleratedFailureCount=2)), [1, 2, 3])
        for _ in range(3):
            await activity.fail((await activity.task())[0])
        await account.ended(execution)
        await client.redrive_execution(executionArn=execution)
        token, _ = await activity.task()
        (run,) = await map_runs(account, execution)
        assert [run["itemCounts"][status] for status in ("running", "pendingRedrive", "failed")] == [1, 2, 0]
        if not restarted:
            await _succeed(account, activity, execution, token)
            return
    async with LocalStepFunctions(data=tmp_path) as local, connect(local) as client:
        activity.client = client
        await _succeed(Account(client), activity, execution, token)


async def _succeed(account: Account, activity: Activity, execution: str, token: str) -> None:
    await activity.succeed(token, 0)
    for number in (1, 2):
        await activity.succeed((await activity.task())[0], number)
    assert json.loads((await account.ended(execution))["output"]) == [0, 1, 2]
    (run,) = await map_runs(account, execution)
    assert (run["itemCounts"]["succeeded"], run["itemCounts"]["pendingRedrive"], run["redriveCount"]) == (3, 0, 1)


async def test_a_map_run_is_redriven_so_often_and_not_more(account: Account, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("workers.local.states.distributed_map.MOST_REDRIVES", 1)
    execution = await account.start(machine(each(FAIL)), [1])
    errors = [(await account.ended(execution))["error"]]
    for _ in range(2):
        await account.client.redrive_execution(executionArn=execution)
        errors.append((await account.ended(execution))["error"])
    assert errors == [*["States.ExceedToleratedFailureThreshold"] * 2, "States.Runtime"]
    assert [run["redriveCount"] for run in await map_runs(account, execution)] == [1]


async def test_express_executions_of_a_map_have_arns_of_their_own(account: Account):
    passed = {"StartAt": "P", "States": {"P": {"Type": "Pass", "End": True}}}
    execution = await account.start(machine(each(passed, kind="EXPRESS", Label="Each")), [1])
    ended = await account.ended(execution)
    (run,) = await map_runs(account, execution)
    (child,) = (await account.client.list_executions(mapRunArn=run["mapRunArn"]))["executions"]
    start = ended["stateMachineArn"].replace(":stateMachine:", ":express:") + "/Each:"
    assert child["executionArn"].startswith(f"{start}{child['name']}:")
    described = await account.client.describe_execution(executionArn=child["executionArn"])
    assert (described["status"], described["input"]) == ("SUCCEEDED", "1")
    assert described["redriveStatusReason"] == "Execution is SUCCEEDED and cannot be redriven"
    async with refused("InvalidArn"):
        await account.client.get_execution_history(executionArn=child["executionArn"])
