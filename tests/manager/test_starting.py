"""Starting workflows: their machines, tags, inputs and queues, and what is refused, on the engine."""

import json
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import anyio
import pytest

from tests.account import unique
from tests.manager.conftest import PASSES, WAITS, defined, ended, until
from tests.proxy import Proxy, refused
from workers.manager import workflows
from workers.manager.errors import (
    ConflictError,
    IdempotencyError,
    InvalidError,
    NotFoundError,
    StoreUnavailableError,
    TooLargeError,
)
from workers.manager.manager import LocalManager
from workers.manager.model import Change, Launch, Query, Status, Workflow
from workers.manager.sync import starter


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


async def test_30_a_start_that_the_store_does_not_take_is_written_down_later(
    watched: tuple[LocalManager, Proxy], monkeypatch: pytest.MonkeyPatch
):
    manager, proxy = watched
    kept, queue = await defined(manager, WAITS), unique("queue")
    await manager.put_queue(queue, 1)
    first, second = [await manager.start_workflow(kept.name, queue=queue) for _ in range(2)]
    assert second.launch is Launch.WAITING
    write, failed = manager.store.update_workflows, []

    async def fail_once(changes: Sequence[tuple[Workflow, Change]]) -> Sequence[Workflow]:
        if not failed and second.id in {before.id for before, _ in changes}:
            failed.append(await manager.store.workflow(second.id))
            raise StoreUnavailableError("the database does not answer")
        return await write(changes)

    monkeypatch.setattr(manager.store, "update_workflows", fail_once)
    monkeypatch.setattr(starter, "CLAIM", timedelta())  # it lapses at once
    await manager.cancel_workflow(first.id, "enough")
    found = await until(manager, second, "running", "failed")
    assert (found.status, found.launch, found.status_reason) == (Status.RUNNING, Launch.STARTED, None)
    assert (failed[0].launch, failed[0].execution_arn) == (Launch.STARTING, None)
    machine = str(found.execution_arn).replace(":execution:", ":stateMachine:").rpartition(":")[0]
    items = manager.account.items("ListExecutions", "executions", stateMachineArn=machine)
    assert sorted([item["name"] async for item in items]) == sorted([first.id, second.id])
    assert len([one for one in proxy.called("StartExecution") if one["name"] == second.id]) > 1
    await manager.cancel_workflow(second.id, "enough")


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
