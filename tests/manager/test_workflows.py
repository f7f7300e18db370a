"""Workflows: started, looked at, cancelled, resolved, on the engine."""

import json
from datetime import timedelta
from typing import Any

import anyio
import pytest

from tests.account import unique
from tests.manager.conftest import BREAKS, CHAIN, PASSES, activities, defined, ended, until
from tests.proxy import Proxy, refused
from workers import ActivityError, Registry, Worker
from workers.manager import observing, workflows
from workers.manager.errors import ConflictError, IdempotencyError, InvalidError, NotFoundError, TooLargeError
from workers.manager.manager import LocalManager
from workers.manager.model import Change, JobStatus, Launch, Query, Status, Workflow
from workers.settings import Settings
from workers.stepfunctions.account import Account

WAITS = {"StartAt": "wait", "States": {"wait": {"Type": "Wait", "Seconds": 600, "End": True}}}


async def described(manager: LocalManager, workflow: Workflow) -> dict[str, Any]:
    return await manager.account.call("DescribeExecution", executionArn=workflow.execution_arn)


async def test_27_a_machine_is_described_once(watched: tuple[LocalManager, Proxy]):
    manager, proxy = watched
    kept = await defined(manager, PASSES)
    async with anyio.create_task_group() as group:
        for _ in range(20):
            group.start_soon(manager.start_workflow, kept.name)
    assert len(proxy.called("DescribeStateMachine")) <= 2  # one that finds nothing, one before it is created
    assert len(proxy.called("CreateStateMachine")) == 1
    proxy.calls.clear()
    for _ in range(10):
        await manager.start_workflow(kept.name)
    assert {name for name, _ in proxy.calls} & {"DescribeStateMachine", "CreateStateMachine"} == set()


async def test_27_a_machine_that_was_deleted_is_made_again(manager: LocalManager, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("workers.stepfunctions.account.SETTLES", 0.0)
    kept = await defined(manager, PASSES)
    first = await manager.start_workflow(kept.name)
    machine = str(first.execution_arn).replace(":execution:", ":stateMachine:").rpartition(":")[0]
    await ended(manager, first)
    await manager.account.call("DeleteStateMachine", stateMachineArn=machine)
    second = await ended(manager, await manager.start_workflow(kept.name))
    assert second.status is Status.SUCCEEDED


async def test_28_a_workflow_of_a_machine_that_exists_has_the_default_tags(manager: LocalManager):
    kept = await defined(manager, PASSES, default_tags={"team": "infra"})
    first = await manager.start_workflow(kept.name, {"x": 1}, namespace="prod", queue="slow")
    second = await manager.start_workflow(kept.name, '{"x": 1}', namespace="prod")
    assert first.execution_arn
    assert second.execution_arn
    assert first.execution_arn.split(":")[6] == f"prod--{kept.name}--0--first"
    assert first.execution_arn.split(":")[:7] == second.execution_arn.split(":")[:7]
    assert first.execution_arn.endswith(first.id)
    found = await manager.workflow(second.id)
    assert (found.tags, found.namespace, found.queue) == ({"team": "infra"}, "prod", "default")
    assert (first.queue, first.input, second.input) == ("slow", '{"x":1}', '{"x": 1}')


async def test_29_tags_of_a_request_go_over_those_of_the_definition(manager: LocalManager):
    kept = await defined(manager, PASSES, default_tags={"team": "infra", "cost": "low"})
    started = await manager.start_workflow(kept.name, tags={"cost": "high", "who": "me"})
    assert started.tags == {"team": "infra", "cost": "high", "who": "me"}
    assert (await manager.definition(kept.name)).default_tags == {"team": "infra", "cost": "low"}


async def test_30_what_step_functions_refuses_leaves_no_workflow(watched: tuple[LocalManager, Proxy]):
    manager, proxy = watched
    kept = await defined(manager, PASSES)
    proxy.answers["StartExecution"] = [refused("InvalidExecutionInput", "the input is odd")]
    with pytest.raises(InvalidError, match="InvalidExecutionInput: the input is odd"):
        await manager.start_workflow(kept.name, idempotency_key="again")
    assert (await manager.workflows(Query())).items == ()
    again = await manager.start_workflow(kept.name, idempotency_key="again")
    assert again.launch is Launch.STARTED


@pytest.mark.usefixtures("hasty")
async def test_30_a_start_that_fails_for_now_is_tried_again_later(watched: tuple[LocalManager, Proxy]):
    manager, proxy = watched
    kept = await defined(manager, PASSES)
    proxy.answers["StartExecution"] = [refused("InternalFailure", status=500) for _ in range(5)]
    started = await manager.start_workflow(kept.name)
    assert (started.status, started.launch) == (Status.QUEUED, Launch.STARTING)
    await manager.launcher.launch(await manager.store.workflow(started.id))
    assert (await ended(manager, started)).status is Status.SUCCEEDED


async def test_30_a_start_that_takes_long_goes_on_without_its_caller(
    manager: LocalManager, monkeypatch: pytest.MonkeyPatch
):
    """As the first one of a machine that gets a role of its own does: IAM needs some ten seconds."""
    kept = await defined(manager, PASSES)
    monkeypatch.setattr(workflows, "_LAUNCH_WITHIN", 0.0)
    started = await manager.start_workflow(kept.name)
    assert (started.status, started.launch) == (Status.QUEUED, Launch.STARTING)
    assert (await ended(manager, started)).status is Status.SUCCEEDED


@pytest.mark.parametrize("given", ["", "{}", {}])
async def test_34_no_input_is_an_empty_object(manager: LocalManager, given: Any):
    kept = await defined(manager, PASSES)
    started = await ended(manager, await manager.start_workflow(kept.name, given))
    assert started.input == "{}"
    assert json.loads(started.output or "") == {"_EXECUTION_NAME": started.id}


@pytest.mark.parametrize("given", ["[1]", "7", "null", "{", '{"x": NaN}', '{"x": 1e999}', '{"x": "\\ud800"}', '"x"'])
async def test_34_what_is_no_object_is_refused(manager: LocalManager, given: str):
    kept = await defined(manager, PASSES)
    with pytest.raises(InvalidError, match="input is not a valid JSON object"):
        await manager.start_workflow(kept.name, given)
    assert (await manager.workflows(Query())).items == ()


async def test_34_big_integers_and_the_order_of_keys_are_unharmed(manager: LocalManager):
    kept = await defined(manager, PASSES)
    text = '{"z": 12345678901234567890, "a": "<&>", "b": 1.0}'
    started = await ended(manager, await manager.start_workflow(kept.name, text))
    assert started.input == text
    assert started.output == f'{{"z":12345678901234567890,"a":"<&>","b":1.0,"_EXECUTION_NAME":"{started.id}"}}'


async def test_34_an_input_that_aws_would_refuse_is_too_large(manager: LocalManager):
    kept = await defined(manager, PASSES)
    with pytest.raises(TooLargeError, match="input: it has 300,0"):
        await manager.start_workflow(kept.name, {"x": "y" * 300_000})


async def test_an_unknown_definition_starts_nothing(manager: LocalManager):
    with pytest.raises(NotFoundError):
        await manager.start_workflow(unique("none"))
    kept = await defined(manager, PASSES)
    with pytest.raises(NotFoundError):
        await manager.start_workflow(kept.name, version=3)


async def test_the_same_request_with_the_same_key_starts_one_workflow(manager: LocalManager):
    kept = await defined(manager, PASSES)
    found: list[str] = []

    async def start() -> None:
        found.append((await manager.start_workflow(kept.name, {"x": 1}, idempotency_key="k")).id)

    async with anyio.create_task_group() as group:
        for _ in range(8):
            group.start_soon(start)
    assert len(set(found)) == 1
    with pytest.raises(IdempotencyError):
        await manager.start_workflow(kept.name, {"x": 2}, idempotency_key="k")
    others: list[dict[str, Any]] = [{"queue": "q"}, {"namespace": "n"}, {"tags": {"a": "b"}}, {"version": 0}]
    for other in others:
        with pytest.raises(IdempotencyError):
            await manager.start_workflow(kept.name, {"x": 1}, idempotency_key="k", **other)


async def test_a_request_that_was_done_is_told_so_though_its_definition_is_deprecated_by_now(manager: LocalManager):
    kept = await defined(manager, PASSES)
    first = await manager.start_workflow(kept.name, idempotency_key="k")
    await manager.deprecate_definition(kept.name)
    assert (await manager.start_workflow(kept.name, idempotency_key="k")).id == first.id
    with pytest.raises(IdempotencyError):
        await manager.start_workflow(kept.name, {"x": 1}, idempotency_key="k")
    for key in (None, "other"):
        with pytest.raises(ConflictError, match="is deprecated"):
            await manager.start_workflow(kept.name, idempotency_key=key)
    await manager.deprecate_definition(kept.name, deprecated=False)
    assert (await manager.start_workflow(kept.name, idempotency_key="other")).id != first.id


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


async def test_a_machine_of_another_definition_is_left_alone(manager: LocalManager):
    """A namespace and a name may stand together as another name does: nothing but the tags of the machine tells."""
    namespace = unique("ns")
    first = await defined(manager, PASSES, name=f"{namespace}--wf")
    kept = await manager.start_workflow(first.name)
    other = {"StartAt": "first", "States": {"first": {"Type": "Succeed"}}}
    second = await defined(manager, other, name="wf")
    with pytest.raises(ConflictError, match=f"the state machine {namespace}--wf--0--first exists already"):
        await manager.start_workflow(second.name, namespace=namespace)
    assert [one.id for one in (await manager.workflows(Query())).items] == [kept.id]
    assert (await ended(manager, await manager.start_workflow(first.name))).status is Status.SUCCEEDED


async def test_resolving_is_done_once(manager: LocalManager):
    kept = await defined(manager, BREAKS)
    done = await ended(manager, await manager.start_workflow(kept.name))
    assert not done.resolved_by_user
    await manager.resolve_workflow(done.id)
    assert (await manager.workflow(done.id)).resolved_by_user
    with pytest.raises(ConflictError, match=f"workflow {done.id} already resolved"):
        await manager.resolve_workflow(done.id)


async def test_a_queue_lets_few_run_and_the_next_starts_when_one_ends(manager: LocalManager):
    kept = await defined(manager, WAITS)
    queue = unique("queue")
    assert (await manager.put_queue(queue, 1)).limit == 1
    started = [await manager.start_workflow(kept.name, queue=queue) for _ in range(3)]
    assert [one.launch for one in started] == [Launch.STARTED, Launch.WAITING, Launch.WAITING]
    (state,) = [one for one in await manager.queues() if one.name == queue]
    assert (state.running, state.waiting) == (1, 2)
    await manager.cancel_workflow(started[1].id, "not needed")
    gone = await manager.workflow(started[1].id)
    assert (gone.status, gone.launch, gone.status_reason) == (Status.CANCELLED, Launch.STARTED, "not needed")
    assert gone.stopped_at
    assert gone.execution_arn is None
    await manager.cancel_workflow(started[0].id, "enough")
    await until(manager, started[2], "running")
    await manager.delete_queue(queue)
    await manager.cancel_workflow(started[2].id, "enough")


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
