"""Workflows that were started: looked at, cancelled, resolved, forgotten, on the engine."""

import json
from datetime import timedelta
from typing import Any

import anyio
import pytest

from tests.account import unique
from tests.manager.conftest import BREAKS, CHAIN, PASSES, WAITS, activities, defined, ended, until
from tests.proxy import Proxy
from workers import ActivityError, Registry, Worker
from workers.manager import observing, workflows
from workers.manager.errors import ConflictError, InvalidError, NotFoundError
from workers.manager.manager import LocalManager
from workers.manager.model import Change, JobStatus, Launch, Query, Status, Workflow
from workers.settings import Settings
from workers.stepfunctions.account import Account


async def described(manager: LocalManager, workflow: Workflow) -> dict[str, Any]:
    return await manager.account.call("DescribeExecution", executionArn=workflow.execution_arn)


async def test_a_workflow_runs_and_its_jobs_are_known(manager: LocalManager, here: Account):
    kept = await defined(manager, CHAIN)
    await activities(here, "prod--one", "prod--two")
    started = await manager.start_workflow(kept.name, {"n": 1}, namespace="prod")
    assert started.status is Status.QUEUED
    await until(manager, started, "running")
    registry = Registry()
    registry.add("one", lambda event, /: event | {"one": True})
    registry.add("two", lambda event, /: {"done": event["one"]})
    async with Worker(registry, Settings(namespace="prod")):
        done = await ended(manager, started, history=True)
    assert (done.status, done.output, done.resolved_by_user) == (Status.SUCCEEDED, '{"done":true}', True)
    assert done.stopped_at
    assert done.jobs
    assert [(job.state, job.status) for job in done.jobs] == [
        ("one", JobStatus.SUCCEEDED),
        ("two", JobStatus.SUCCEEDED),
    ]
    assert json.loads(done.jobs[0].input or "") == {"n": 1, "_EXECUTION_NAME": started.id}
    assert done.jobs[0].container
    assert done.jobs[0].state_resource
    assert (done.jobs[0].state_resource.name, done.jobs[0].state_resource.namespace) == ("one", "prod")
    assert done.last_job is None


async def test_37_a_workflow_that_fails_has_a_last_job(manager: LocalManager, here: Account):
    kept = await defined(manager, CHAIN)
    name = unique("ns")
    await activities(here, f"{name}--one")
    started = await manager.start_workflow(kept.name, namespace=name)
    registry = Registry()

    @registry.activity("one")
    async def one() -> None:
        raise ActivityError("Broken", cause="\n".join(f"line {number}" for number in range(6)))

    async with Worker(registry, Settings(namespace=name)):
        failed = await ended(manager, started)
    assert (failed.status, failed.resolved_by_user) == (Status.FAILED, False)
    assert failed.last_job
    assert (failed.last_job.state, failed.last_job.status) == ("one", JobStatus.FAILED)
    assert failed.last_job.status_reason == "line 3\nline 4\nline 5\nBroken"
    listed = (await manager.workflows(Query())).items[0]
    assert listed.last_job == failed.last_job


async def test_32_cancelling(manager: LocalManager):
    kept = await defined(manager, WAITS)
    started = await manager.start_workflow(kept.name)
    await until(manager, started, "running")
    await manager.cancel_workflow(started.id, "enough")
    stored = await manager.store.workflow(started.id)
    assert (stored.status, stored.resolved_by_user, stored.status_reason) == (Status.RUNNING, True, "enough")
    found = await described(manager, started)
    assert (found["status"], found["cause"]) == ("ABORTED", "enough")
    done = await ended(manager, started)
    assert (done.status, done.status_reason) == (Status.CANCELLED, "enough")


async def test_32_what_is_cancelled_while_it_starts_is_stopped_as_soon_as_it_has(watched: tuple[LocalManager, Proxy]):
    manager, proxy = watched
    kept = await defined(manager, WAITS)
    claimed = await manager.store.save_workflow(
        Workflow(id=unique("early"), workflow_definition=kept), claim=manager.sync.starter.claim()
    )
    await manager.cancel_workflow(claimed.id, "too early")
    assert proxy.called("StopExecution") == []
    await manager.launcher.start(claimed)
    (stopped,) = proxy.called("StopExecution")
    assert (stopped["executionArn"].rpartition(":")[2], stopped["cause"]) == (claimed.id, "too early")
    done = await ended(manager, claimed.id)
    assert (done.status, done.status_reason) == (Status.CANCELLED, "too early")


@pytest.mark.parametrize(("given", "status"), [({"fine": 1}, "succeeded"), ({}, "failed")])
async def test_32_what_has_ended_cannot_be_cancelled(manager: LocalManager, given: dict[str, Any], status: str):
    kept = await defined(manager, BREAKS)
    done = await ended(manager, await manager.start_workflow(kept.name, given))
    with pytest.raises(InvalidError, match=f"Cancellation not allowed. Workflow {done.id} is {status}"):
        await manager.cancel_workflow(done.id, "late")


async def test_33_a_workflow_that_was_cancelled_is_not_asked_about(watched: tuple[LocalManager, Proxy]):
    manager, proxy = watched
    kept = await defined(manager, WAITS)
    started = await manager.start_workflow(kept.name)
    await manager.cancel_workflow(started.id, "enough")
    done = await ended(manager, started, history=True)
    assert done.resolved_by_user
    proxy.calls.clear()
    await manager.workflow(started.id, history=True)
    assert [call for call in proxy.calls if call[1].get("executionArn") == started.execution_arn] == []


async def test_33_what_somebody_else_stopped_is_resolved_when_it_is_seen(manager: LocalManager):
    kept = await defined(manager, WAITS)
    started = await manager.start_workflow(kept.name)
    await manager.account.call("StopExecution", executionArn=started.execution_arn, cause="by hand")
    done = await ended(manager, started)
    assert (done.status, done.resolved_by_user, done.status_reason) == (Status.CANCELLED, True, "by hand")


async def test_33_what_a_user_said_stays_the_reason(manager: LocalManager):
    kept = await defined(manager, WAITS)
    started = await manager.start_workflow(kept.name)
    await manager.store.update_workflow(started.id, Change(cancel_reason="mine", resolved_by_user=True))
    await manager.account.call("StopExecution", executionArn=started.execution_arn, cause="theirs")
    assert (await ended(manager, started)).status_reason == "mine"


async def test_41_an_execution_that_is_not_there(manager: LocalManager, monkeypatch: pytest.MonkeyPatch):
    kept = await defined(manager, PASSES)
    started = await manager.start_workflow(kept.name)
    gone = f"{started.execution_arn}-gone"
    await ended(manager, started)
    lost = started.model_copy(update={"id": unique("lost"), "revision": 0})
    await manager.store.save_workflow(lost)
    await manager.store.update_workflow(lost.id, Change(execution_arn=gone, launch=Launch.STARTED))
    assert (await manager.refresh_workflow(lost.id)).status is Status.QUEUED
    monkeypatch.setattr(observing, "ZOMBIE_AFTER", timedelta(0))
    found = await manager.refresh_workflow(lost.id)
    assert (found.status, found.jobs) == (Status.FAILED, None)
    assert "does not exist" in str(found.status_reason)


async def test_a_history_may_take_longer_than_a_look(manager: LocalManager, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(workflows, "_LOOK_WITHIN", 0.0)
    done = await manager.start_workflow((await defined(manager, BREAKS)).name)
    with anyio.fail_after(30):
        while not (await manager.refresh(done.id)).status.terminal:
            await anyio.sleep(0.05)
    assert (await manager.workflow(done.id)).jobs is None
    found = await manager.workflow(done.id, history=True)
    assert [job.state for job in found.jobs or ()] == ["look"]


async def test_resolving_is_done_once(manager: LocalManager):
    kept = await defined(manager, BREAKS)
    done = await ended(manager, await manager.start_workflow(kept.name))
    assert not done.resolved_by_user
    await manager.resolve_workflow(done.id)
    assert (await manager.workflow(done.id)).resolved_by_user
    with pytest.raises(ConflictError, match=f"workflow {done.id} already resolved"):
        await manager.resolve_workflow(done.id)


async def test_changes_are_told_as_they_happen(manager: LocalManager):
    kept = await defined(manager, BREAKS)
    told: list[tuple[str, str]] = []
    listening = anyio.Event()

    async def listen() -> None:
        async with manager.recent_changes.listen() as news:
            listening.set()
            async for workflow in news:
                told.append((workflow.id, str(workflow.status)))
                if workflow.status.terminal:
                    return

    with anyio.fail_after(30):
        async with anyio.create_task_group() as group:
            group.start_soon(listen)
            await listening.wait()
            started = await manager.start_workflow(kept.name, {"fine": 1})
    assert told[-1] == (started.id, "succeeded")


async def test_workflows_that_ended_are_forgotten(manager: LocalManager):
    kept = await defined(manager, BREAKS)
    done = await ended(manager, await manager.start_workflow(kept.name))
    assert done.stopped_at
    assert await manager.delete_workflows(done.stopped_at) == 0
    assert await manager.delete_workflows(done.stopped_at + timedelta(seconds=1)) == 1
    with pytest.raises(NotFoundError):
        await manager.workflow(done.id)


async def test_what_came_out_is_asked_for_when_somebody_looks_and_nobody_knows(manager: LocalManager):
    kept = await manager.start_workflow((await defined(manager, PASSES)).name)
    found = await ended(manager, kept)
    await manager.store.update_workflow(kept.id, Change(output=None))  # a list would not have told it
    with anyio.fail_after(30):
        while (again := await manager.workflow(kept.id)).output is None:
            await anyio.sleep(0.1)
    assert again.output == found.output
