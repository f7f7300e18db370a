"""Many workflows at once, in every store."""

from collections.abc import Sequence

from tests.manager.store.workflows import saved
from workers.manager.model import Change, Job, Launch, Query, Status, Workflow, WorkflowDefinition, now
from workers.manager.store.interface import Store


async def read(store: Store, workflows: Sequence[Workflow]) -> list[Workflow]:
    found = {workflow.id: workflow for workflow in await store.many_workflows([one.id for one in workflows])}
    return [found[workflow.id] for workflow in workflows]


async def test_many_are_read_at_once(store: Store, definition: WorkflowDefinition):
    kept = [await saved(store, definition, tags={"n": str(n)}, input=f'{{"n":{n}}}') for n in range(5)]
    assert await read(store, kept) == kept
    assert await store.many_workflows(["nobody"]) == []
    assert await store.many_workflows([]) == []


async def test_many_are_changed_at_once_each_as_it_is_said(store: Store, definition: WorkflowDefinition):
    kept = [await saved(store, definition, tags={"n": str(n)}) for n in range(4)]
    at = now()
    job = Job(id="7", state="Greet")
    changes = [
        Change(status=Status.RUNNING, launch=Launch.STARTED, execution_arn="arn:x"),
        Change(status=Status.SUCCEEDED, output='{"a":1}', stopped_at=at, resolved_by_user=True),
        Change(status=Status.FAILED, redrive_count=2, status_reason="because", last_job=job, stopped_at=at),
        Change(status_reason="no change of status"),
    ]
    done = await store.update_workflows(list(zip(kept, changes, strict=True)))
    after = await read(store, kept)
    assert sorted(one.id for one in done) == sorted(one.id for one in kept)
    assert {one.id: one for one in done} == {one.id: one for one in after}
    assert [one.status for one in after] == [Status.RUNNING, Status.SUCCEEDED, Status.FAILED, Status.QUEUED]
    assert [one.revision for one in after] == [one.revision + 1 for one in kept]
    assert all(new.last_updated > old.last_updated for new, old in zip(after, kept, strict=True))
    assert (after[0].execution_arn, after[0].launch) == ("arn:x", Launch.STARTED)
    assert (after[1].output, after[1].stopped_at, after[1].resolved_by_user) == ('{"a":1}', at, True)
    assert (after[2].redrive_count, after[2].status_reason, after[2].last_job) == (2, "because", job)
    counts = {(one.status, one.resolved_by_user): one.count for one in await store.counts() if one.count}
    assert counts == {
        (Status.RUNNING, False): 1,
        (Status.SUCCEEDED, True): 1,
        (Status.FAILED, False): 1,
        (Status.QUEUED, False): 1,
    }
    listed = await store.workflows(Query(tags={"n": "1"}, status=(Status.SUCCEEDED,), resolved_by_user=True))
    assert [one.id for one in listed.items] == [kept[1].id]
    assert {one.id async for one in store.unfinished()} == {kept[0].id, kept[3].id}


async def test_what_somebody_else_has_changed_or_would_go_back_is_left_out(
    store: Store, definition: WorkflowDefinition
):
    changed, gone, ended, good = [await saved(store, definition) for _ in range(4)]
    await store.update_workflow(changed.id, Change(status_reason="meanwhile"))
    await store.delete_workflow(gone.id)
    ended = await store.update_workflow(ended.id, Change(status=Status.SUCCEEDED))
    running = Change(status=Status.RUNNING)
    done = await store.update_workflows([(one, running) for one in (changed, gone, ended, good)])
    assert [one.id for one in done] == [good.id]
    assert (await store.workflow(changed.id)).status is Status.QUEUED
    assert (await store.workflow(ended.id)).status is Status.SUCCEEDED
    assert (await store.workflow(good.id)).status is Status.RUNNING
    assert await store.update_workflows([]) == []
