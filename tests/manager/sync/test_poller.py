"""Polling the engine: what has ended is found, with few calls, whatever happened meanwhile."""

from datetime import timedelta

import anyio
import pytest

from tests.executions.machines import ECHO, WAITS, fails
from tests.manager.sync.conftest import House
from tests.proxy import Proxy, answered, refused
from workers.executions.control import stop_execution
from workers.manager.model import Change, Launch, Status, now
from workers.manager.sync import poller as poller_module
from workers.manager.sync.explainer import Explainer
from workers.payloads.together import background


async def test_what_has_ended_is_found_one_by_one(house: House):
    await house.machine(ECHO)
    await house.machine(fails(), "broken")
    good, bad = await house.started(input='{"a": 1}'), await house.started("broken")
    found = await house.until(good, Status.SUCCEEDED, by=house.look)
    assert found.output is not None
    assert (found.resolved_by_user, found.launch) == (True, Launch.STARTED)
    assert found.stopped_at
    found = await house.until(bad, Status.FAILED, by=house.look)
    assert not found.resolved_by_user
    assert found.status_reason
    assert "as the test says" in found.status_reason
    assert {workflow.id for workflow in house.ended} == {good.id, bad.id}
    assert [left async for left in house.store.unfinished()] == []


async def test_what_runs_is_found_to_run_and_is_asked_for_less_and_less(house: House, proxy: Proxy):
    await house.machine(WAITS)
    kept = await house.started()
    await house.until(kept, Status.RUNNING, by=house.look)
    await house.store.update_workflow(kept.id, Change(last_updated=now() - timedelta(hours=1)))
    house.poller._due.clear()
    before = len(proxy.called("DescribeExecution"))
    for _ in range(5):
        await house.look()
    assert len(proxy.called("DescribeExecution")) == before + 1


@pytest.fixture
def lists(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lists are worth it soon."""
    monkeypatch.setattr(poller_module, "FEW", 2)
    monkeypatch.setattr(poller_module, "_MANY", 3)


async def test_many_of_one_machine_are_found_by_lists(house: House, proxy: Proxy, lists: None):
    await house.machine(WAITS)
    kept = [await house.started() for _ in range(8)]
    await house.look()
    assert len(proxy.called("ListExecutions")) == 1
    assert proxy.called("DescribeExecution") == []
    statuses = [(await house.store.workflow(workflow.id)).status for workflow in kept]
    assert statuses == [Status.RUNNING] * 8
    for workflow in kept[:5]:
        assert workflow.execution_arn
        await stop_execution(workflow.execution_arn, cause="enough", account=house.account)
    await house.look()
    ended = [await house.store.workflow(workflow.id) for workflow in kept]
    assert [workflow.status for workflow in ended] == [Status.CANCELLED] * 5 + [Status.RUNNING] * 3
    assert len(proxy.called("ListExecutions")) == 2 + 4
    assert proxy.called("DescribeExecution") == []
    assert set(house.puzzled) == {workflow.id for workflow in kept[:5]}  # why, no list tells
    explainer = Explainer()
    async with background() as group:
        group.start_soon(explainer.run, house.recorder)
        for workflow_id in house.puzzled:
            explainer.add(workflow_id)
        for workflow in kept[:5]:
            while (await house.store.workflow(workflow.id)).status_reason != "enough":
                await anyio.sleep(0.02)
    assert explainer.waiting == 0


async def test_a_redrive_by_somebody_else_opens_a_workflow_again(house: House, proxy: Proxy, lists: None):
    await house.machine(WAITS)
    kept = [await house.started() for _ in range(4)]
    first = kept[0]
    assert first.execution_arn
    await stop_execution(first.execution_arn, account=house.account)
    assert (await house.recorder.refresh(first.id)).status is Status.CANCELLED
    item = {"executionArn": first.execution_arn, "stateMachineArn": house.machines["default"], "name": first.id,
            "status": "RUNNING", "startDate": 1.7e9, "redriveCount": 1}  # fmt: skip
    proxy.answers["ListExecutions"] = [answered(executions=[item])]
    await house.look()
    found = await house.store.workflow(first.id)
    assert (found.status, found.redrive_count) == (Status.RUNNING, 1)


async def test_a_workflow_without_an_execution_has_failed_after_five_minutes(house: House):
    await house.machine(WAITS)
    kept = await house.started()
    lost = await house.store.update_workflow(kept.id, Change(execution_arn=f"{kept.execution_arn}-lost"))
    assert (await house.recorder.refresh(lost.id)).status is Status.QUEUED
    await house.store.update_workflow(lost.id, Change(last_updated=now() - timedelta(minutes=6)))
    found = await house.until(lost, Status.FAILED, by=house.look)
    assert found.status_reason
    assert found.jobs is None
    assert found.stopped_at


async def test_a_cancelled_workflow_is_stopped_if_that_was_not_done(house: House):
    await house.machine(WAITS)
    kept = await house.started()
    await house.store.update_workflow(kept.id, Change(cancel_reason="no more"))
    found = await house.until(kept, Status.CANCELLED, by=house.look)
    assert found.cancel_reason == "no more"


async def test_faults_of_the_service_delay_and_lose_nothing(house: House, proxy: Proxy, hasty: None, lists: None):
    await house.machine(ECHO)
    kept = [await house.started() for _ in range(4)]
    proxy.answers["ListExecutions"] = [refused("InternalError", status=500) for _ in range(5)]
    proxy.answers["DescribeExecution"] = [refused("AccessDeniedException") for _ in range(3)]
    for workflow in kept:
        await house.until(workflow, Status.SUCCEEDED, by=house.look)


async def test_a_deleted_machine_takes_its_workflows_with_it(house: House, proxy: Proxy, lists: None):
    await house.machine(WAITS)
    kept = [await house.started() for _ in range(4)]
    for workflow in kept:
        await house.store.update_workflow(workflow.id, Change(last_updated=now() - timedelta(minutes=6)))
    proxy.answers["ListExecutions"] = [refused("StateMachineDoesNotExist")]
    proxy.answers["DescribeExecution"] = [refused("ExecutionDoesNotExist") for _ in kept]
    for workflow in kept:
        await house.until(workflow, Status.FAILED, by=house.look)
