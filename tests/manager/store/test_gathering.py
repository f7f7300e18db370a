"""Many tasks change workflows at the same moment: each gets its own answer."""

import anyio
import pytest
from anyio.abc import TaskStatus

from tests.manager.store.workflows import saved
from workers.manager.errors import NotFoundError, TerminalStatusError
from workers.manager.model import Change, Status, Workflow, WorkflowDefinition
from workers.manager.store.gathering import Gathered
from workers.manager.store.interface import Store


async def test_each_of_many_gets_its_own(store: Store, definition: WorkflowDefinition):
    kept = [await saved(store, definition) for _ in range(12)]
    gathered = Gathered(store)
    found: dict[str, Workflow] = {}

    async def change(workflow: Workflow) -> None:
        found[workflow.id] = await gathered.update(workflow, Change(execution_arn=f"arn:{workflow.id}"))

    async with anyio.create_task_group() as group:
        for workflow in kept:
            group.start_soon(change, workflow)
    for workflow in kept:
        assert found[workflow.id] == await store.workflow(workflow.id)
        assert found[workflow.id].execution_arn == f"arn:{workflow.id}"


async def test_what_others_have_changed_is_judged_as_it_is_now(store: Store, definition: WorkflowDefinition):
    changed, ended, gone = [await saved(store, definition) for _ in range(3)]
    await store.update_workflow(changed.id, Change(cancel_reason="enough"))
    await store.update_workflow(ended.id, Change(status=Status.FAILED))
    await store.delete_workflow(gone.id)
    gathered = Gathered(store)
    after = await gathered.update(changed, Change(execution_arn="arn"))
    assert (after.execution_arn, after.cancel_reason) == ("arn", "enough")
    with pytest.raises(TerminalStatusError):
        await gathered.update(ended, Change(status=Status.RUNNING))
    with pytest.raises(NotFoundError):
        await gathered.update(gone, Change(status=Status.RUNNING))


async def test_who_gives_up_waiting_leaves_nothing_behind(store: Store, definition: WorkflowDefinition):
    first, second = [await saved(store, definition) for _ in range(2)]
    gathered = Gathered(store)

    async def hold(*, task_status: TaskStatus[None]) -> None:
        async with gathered._lock:
            task_status.started()
            await anyio.sleep_forever()

    async with anyio.create_task_group() as group:
        await group.start(hold)
        with anyio.move_on_after(0.05):
            await gathered.update(first, Change(execution_arn="arn"))
        group.cancel_scope.cancel()
    await gathered.update(second, Change(execution_arn="arn"))
    assert (await store.workflow(first.id)).execution_arn is None
