"""Stopping and redriving in bulk: who is meant, what is done, and how an interrupted run goes on."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.account import PREFIX
from tests.clock import stopped_clock
from tests.executions.machines import ECHO, WAITS, fails, registered
from tests.proxy import Proxy, answered, opened, refused
from workers.errors import UsageError
from workers.executions import Status, list_executions, start_execution
from workers.executions.bulk import Did, Selection, Step, redrive_executions, stop_executions
from workers.stepfunctions.account import Account

FAST = 1e6


async def running(here: Account, machine: str) -> int:
    return len([one async for one in list_executions(machine, status=Status.RUNNING, account=here)])


async def test_all_running_executions_are_stopped_after_a_dry_run(here: Account) -> None:
    machine = await registered(here, WAITS)
    started = {(await start_execution(machine, account=here)).arn for _ in range(3)}
    selection = Selection(machine=machine.name)

    would: list[Step] = []
    dry = await stop_executions(selection, dry_run=True, progress=would.append, account=here)
    assert {step.execution.arn for step in would} == started
    assert (dry.looked_at, dry.counts[Did.WOULD], dry.counts[Did.DONE]) == (3, 3, 0)
    assert await running(here, machine.name) == 3

    done: list[Step] = []
    summary = await stop_executions(
        selection, error="Cleanup", cause="bulk", rate=FAST, progress=done.append, account=here
    )
    assert summary.to_json() == {"looked_at": 3, "done": 3, "would be done": 0, "refused": 0, "done before": 0}
    assert await running(here, machine.name) == 0
    assert done[0].to_json()["did"] == "done"
    found = await here.call("DescribeExecution", executionArn=done[0].execution.arn)
    assert (found["status"], found["error"], found["cause"]) == ("ABORTED", "Cleanup", "bulk")


async def test_executions_are_selected_by_the_state_they_are_in(here: Account) -> None:
    definition = {
        "StartAt": "Which",
        "States": {
            "Which": {
                "Type": "Choice",
                "Choices": [{"Variable": "$.here", "BooleanEquals": True, "Next": "Here"}],
                "Default": "There",
            },
            "Here": WAITS["States"]["Wait"],
            "There": WAITS["States"]["Wait"],
        },
    }
    machine = await registered(here, definition)
    first = await start_execution(machine, {"here": True}, account=here)
    await start_execution(machine, {"here": False}, account=here)
    while await running(here, machine.name) < 2:
        pass
    steps: list[Step] = []
    while not steps:  # until the state is entered
        await stop_executions(
            Selection(machine=machine.name, state="He?e"), rate=FAST, progress=steps.append, account=here
        )
    assert [(step.execution.arn, step.execution.failed_state) for step in steps] == [(first.arn, "Here")]
    assert await running(here, machine.name) == 1
    await stop_executions(Selection(machine=machine.name), rate=FAST, account=here)


async def test_executions_are_selected_by_age(proxy: Proxy) -> None:
    now = datetime.now(UTC)
    arns = [f"{PREFIX}:execution:old:{minutes}" for minutes in (1, 10, 100)]
    listed = [
        {
            "executionArn": arn,
            "name": arn,
            "stateMachineArn": f"{PREFIX}:stateMachine:old",
            "status": "RUNNING",
            "startDate": (now - timedelta(minutes=int(arn.rpartition(":")[2]))).timestamp(),
        }
        for arn in arns
    ]

    async def selected(**ages) -> list[str]:
        proxy.answers["ListExecutions"] = [lambda _: answered(executions=listed)]
        steps: list[Step] = []
        async with opened() as here:
            await stop_executions(Selection(machine="old", **ages), dry_run=True, progress=steps.append, account=here)
        return sorted(step.execution.arn.rpartition(":")[2] for step in steps)

    assert await selected(older_than=300) == ["10", "100"]
    assert await selected(newer_than=timedelta(minutes=50)) == ["1", "10"]
    assert await selected(older_than=timedelta(minutes=5), newer_than=3000) == ["10"]
    with pytest.raises(UsageError, match="is no age"):
        await selected(older_than="soon")


async def test_failed_executions_are_redriven_by_error_and_state_and_an_interrupted_run_goes_on(
    proxy: Proxy, tmp_path: Path
) -> None:
    journal = tmp_path / "journal"
    async with opened() as here:
        machine = await registered(here, fails("Boom"))
        other = await registered(here, fails("Other"))
        for _ in range(3):
            await start_execution(machine, wait=True, account=here)
        await start_execution(other, wait=True, account=here)
        selection = Selection(machine=machine.name, error="B*", state="Break")
        redriven = lambda _: answered(redriveDate=1)  # noqa: E731
        proxy.answers["RedriveExecution"] = [redriven, lambda _: refused("ExecutionNotRedrivable"), redriven]

        steps: list[Step] = []
        first = await redrive_executions(selection, rate=FAST, journal=journal, progress=steps.append, account=here)
        assert (first.counts[Did.DONE], first.counts[Did.REFUSED]) == (2, 1)
        assert "ExecutionNotRedrivable" in next(step for step in steps if step.did is Did.REFUSED).to_json()["reason"]
        lines = [json.loads(line) for line in journal.read_text().splitlines()]
        assert lines[0] == {"action": "redrive", "machine": machine.arn}
        assert len(lines) == 3

        with journal.open("a") as file:
            file.write('{"execution": "arn:cut')  # the process was killed while it wrote
        proxy.answers["RedriveExecution"] = [redriven]
        second = await redrive_executions(selection, rate=FAST, journal=journal, account=here)
        assert (second.counts[Did.DONE], second.counts[Did.SKIPPED]) == (1, 2)
        third = await redrive_executions(selection, rate=FAST, journal=journal, account=here)
        assert (third.counts[Did.DONE], third.counts[Did.SKIPPED]) == (0, 3)

        elsewhere = await redrive_executions(Selection(machine=machine.name, state="First"), account=here)
        assert (elsewhere.looked_at, sum(elsewhere.counts.values())) == (3, 0)
        aborted = await redrive_executions(Selection(machine=machine.name), statuses=(Status.ABORTED,), account=here)
        assert aborted.looked_at == 0

        with pytest.raises(UsageError, match="is of other work"):
            await stop_executions(Selection(machine=machine.name), journal=journal, account=here)
        with pytest.raises(UsageError, match="cannot be used"):
            await redrive_executions(selection, journal=tmp_path, account=here)


async def test_executions_are_stopped_and_redriven_at_the_rate(proxy: Proxy, monkeypatch: pytest.MonkeyPatch) -> None:
    async with opened() as here:
        waiting, failing = await registered(here, WAITS), await registered(here, fails())
        for _ in range(3):
            await start_execution(waiting, account=here)
            await start_execution(failing, wait=True, account=here)
        proxy.answers["RedriveExecution"] = [lambda _: answered(redriveDate=1)] * 3

        clock = stopped_clock(monkeypatch)
        selection = Selection(machine=waiting.name)
        await stop_executions(selection, rate=4.0, dry_run=True, account=here)
        assert clock.waits == []  # nothing is done
        assert (await stop_executions(selection, rate=4.0, account=here)).counts[Did.DONE] == 3
        assert clock.waits == [0.25] * 3
        clock.waits.clear()
        again = await redrive_executions(Selection(machine=failing.name), rate=0.5, account=here)
    assert again.counts[Did.DONE] == 3
    assert clock.waits == [2.0] * 3


async def test_what_makes_no_sense_is_said(here: Account) -> None:
    selection = Selection(machine="adder", error="Boom")
    with pytest.raises(UsageError, match="has no error yet"):
        await stop_executions(selection, account=here)
    with pytest.raises(UsageError, match="SUCCEEDED cannot be redriven"):
        await redrive_executions(selection, statuses=(Status.SUCCEEDED,), account=here)
    for rate in (0, -1, float("nan")):
        with pytest.raises(UsageError, match="never comes to an end"):
            await redrive_executions(selection, rate=rate, account=here)


async def test_a_fault_in_the_middle_is_raised_as_it_is(proxy: Proxy) -> None:
    async with opened() as here:
        machine = await registered(here, ECHO)
        proxy.answers["ListExecutions"] = [lambda _: refused("AccessDeniedException", "no")]
        with pytest.raises(Exception, match="AccessDeniedException") as raised:
            await stop_executions(Selection(machine=machine.name), account=here)
    assert not isinstance(raised.value, ExceptionGroup)
