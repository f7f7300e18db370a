"""Workflows of some last time, counted, in every store."""

from datetime import timedelta

from tests.manager.store.conftest import MACHINE
from tests.manager.store.workflows import ended, saved
from workers.manager.model import Status, WorkflowDefinition
from workers.manager.store.interface import Store


async def test_workflows_are_counted_by_definition_status_and_step(store: Store, definition: WorkflowDefinition):
    other = await store.save_definition(MACHINE.model_copy(update={"name": "other"}))
    first = await saved(store, definition)
    await ended(store, definition, Status.FAILED)
    await ended(store, definition, Status.FAILED, resolved_by_user=True)
    await ended(store, other, Status.SUCCEEDED)
    since, hour = first.created_at - timedelta(minutes=90), timedelta(hours=1)
    found = await store.tallies(since, hour)
    assert {(one.workflow_definition_name, one.status, one.since, one.count) for one in found} == {
        ("greeting", Status.QUEUED, since + hour, 1),
        ("greeting", Status.FAILED, since + hour, 2),
        ("other", Status.SUCCEEDED, since + hour, 1),
    }


async def test_workflows_from_before_are_not_counted(store: Store, definition: WorkflowDefinition):
    before = await saved(store, definition)
    kept = await saved(store, definition)
    found = await store.tallies(kept.created_at, timedelta(hours=1))
    assert [one.count for one in found] == [1]
    assert before.created_at < kept.created_at
    assert await store.tallies(kept.created_at + timedelta(milliseconds=1), timedelta(hours=1)) == []
