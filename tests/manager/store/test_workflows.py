"""Workflows, one by one, in every store. Numbers in names are those of the acceptance tests."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from typing import TypeVar

import anyio
import pytest

from tests.manager.store.workflows import ended, made, saved
from workers.manager.errors import (
    ConflictError,
    IdempotencyError,
    NotFoundError,
    RevisionError,
    TerminalStatusError,
)
from workers.manager.model import (
    Attempt,
    Change,
    Job,
    JobStatus,
    Launch,
    Query,
    Status,
    WorkflowDefinition,
    now,
)
from workers.manager.store.interface import Guard, IdempotencyKey, Store

T = TypeVar("T")


async def test_group_06_a_workflow_comes_back_as_it_was_saved(store: Store, definition: WorkflowDefinition):
    kept = await saved(store, definition, input='{"big": 12345678901234567890}', namespace="prod", queue="slow",
                       tags={"team": "red", "": "é'"}, execution_arn="arn:x", start_at="Greet")  # fmt: skip
    assert kept.status is Status.QUEUED
    assert kept.launch is Launch.WAITING
    assert kept.created_at == kept.last_updated
    assert abs(now() - kept.created_at) < timedelta(seconds=1)
    assert (kept.input, kept.namespace, kept.queue) == ('{"big": 12345678901234567890}', "prod", "slow")
    assert (kept.tags, kept.execution_arn, kept.start_at) == ({"team": "red", "": "é'"}, "arn:x", "Greet")
    assert await store.workflow(kept.id) == kept
    about = definition.model_copy(update={"state_machine": None})
    assert kept.workflow_definition == about


async def test_group_07_an_update_keeps_the_status(store: Store, definition: WorkflowDefinition):
    kept = await saved(store, definition)
    changed = await store.update_workflow(kept.id, Change(status_reason="because"))
    assert (changed.status, changed.status_reason) == (Status.QUEUED, "because")
    assert changed.last_updated > changed.created_at == kept.created_at
    assert await store.workflow(kept.id) == changed
    with pytest.raises(NotFoundError, match="nobody"):
        await store.update_workflow("nobody", Change(status=Status.RUNNING))


async def test_group_08_what_is_deleted_is_gone(store: Store, definition: WorkflowDefinition):
    kept = await saved(store, definition, tags={"a": "b"})
    await store.delete_workflow(kept.id)
    with pytest.raises(NotFoundError, match=kept.id):
        await store.workflow(kept.id)
    with pytest.raises(NotFoundError, match=kept.id):
        await store.delete_workflow(kept.id)


async def test_group_09_four_thousand_jobs_are_kept(store: Store, definition: WorkflowDefinition):
    jobs = tuple(
        Job(id=str(n), status=JobStatus.SUCCEEDED, state="Greet", created_at=now(), input=f'{{"n": {n}}}',
            output=f'"{n:0200}"', attempts=(Attempt(reason="é", exit_code=1),))
        for n in range(4_000)
    )  # fmt: skip
    kept = await ended(store, definition, Status.RUNNING)
    changed = await store.update_workflow(kept.id, Change(jobs=jobs))
    assert changed.jobs == jobs
    found = await store.workflow(kept.id)
    assert (found.status, found.jobs) == (Status.RUNNING, jobs)
    again = await store.update_workflow(kept.id, Change(jobs=jobs[:1], output='"done"'))
    assert (again.jobs, again.output) == (jobs[:1], '"done"')


async def test_group_10_attributes_are_written_exactly(store: Store, definition: WorkflowDefinition):
    kept = await saved(store, definition)
    change = Change(
        last_updated=now() + timedelta(hours=1), status=Status.FAILED, status_reason="it broke", stopped_at=now(),
        resolved_by_user=True, output='{"a": 1}', last_job=Job(id="7", status=JobStatus.FAILED, state="Greet"),
    )  # fmt: skip
    changed = await store.update_workflow(kept.id, change)
    assert {name: getattr(changed, name) for name in change.given()} == change.given()
    assert await store.workflow(kept.id) == changed
    with pytest.raises(TerminalStatusError, match="failed"):
        await store.update_workflow(kept.id, Change(status=Status.RUNNING))
    assert await store.workflow(kept.id) == changed


async def test_what_is_given_as_none_is_taken_away(store: Store, definition: WorkflowDefinition):
    kept = await ended(store, definition, Status.SUCCEEDED, stopped_at=now())
    kept = await store.update_workflow(kept.id, Change(output="1", status_reason="x", last_job=Job(id="1"), jobs=()))
    assert (kept.output, kept.status_reason, kept.jobs) == ("1", "x", ())
    nothing = Change(output=None, status_reason=None, last_job=None, jobs=None, stopped_at=None)
    changed = await store.update_workflow(kept.id, nothing)
    assert (changed.output, changed.status_reason, changed.last_job, changed.jobs, changed.stopped_at) == (None,) * 5
    assert changed.status is Status.SUCCEEDED


async def test_only_a_redrive_opens_a_workflow_again(store: Store, definition: WorkflowDefinition):
    kept = await ended(store, definition, Status.FAILED)
    for late in (
        Change(status=Status.QUEUED),
        Change(status=Status.RUNNING, redrive_count=0),
        Change(redrive_count=1),
    ):
        with pytest.raises(TerminalStatusError):
            await store.update_workflow(kept.id, late)
    opened = await store.update_workflow(kept.id, Change(status=Status.RUNNING, redrive_count=1))
    assert (opened.status, opened.redrive_count) == (Status.RUNNING, 1)
    for old in (Change(status=Status.FAILED, redrive_count=0), Change(status=Status.SUCCEEDED, redrive_count=0)):
        with pytest.raises(TerminalStatusError):
            await store.update_workflow(kept.id, old)
    closed = await store.update_workflow(kept.id, Change(status=Status.SUCCEEDED))
    assert (closed.status, closed.redrive_count) == (Status.SUCCEEDED, 1)
    again = await store.update_workflow(kept.id, Change(status=Status.FAILED, redrive_count=3))
    assert (again.status, again.redrive_count) == (Status.FAILED, 3)


async def test_a_change_of_what_was_read_is_refused_when_it_has_changed(store: Store, definition: WorkflowDefinition):
    kept = await saved(store, definition)
    changed = await store.update_workflow(kept.id, Change(status=Status.RUNNING), revision=kept.revision)
    assert changed.revision == kept.revision + 1
    with pytest.raises(RevisionError, match=kept.id):
        await store.update_workflow(kept.id, Change(status=Status.FAILED), revision=kept.revision)
    assert await store.workflow(kept.id) == changed


async def test_an_id_is_saved_once_and_with_a_definition(store: Store, definition: WorkflowDefinition):
    kept = await saved(store, definition, input='{"a": 1}')
    with pytest.raises(ConflictError, match=kept.id):
        await saved(store, definition, id=kept.id)
    assert await store.workflow(kept.id) == kept
    with pytest.raises(NotFoundError, match="greeting@5"):
        await saved(store, definition.model_copy(update={"version": 5}))


async def test_what_resumes_another_is_listed_there(store: Store, definition: WorkflowDefinition):
    first = await ended(store, definition, Status.FAILED)
    guard = Guard(first.id, first.revision)
    second = await store.save_workflow(made(definition, retry_for=first.id), guard=guard)
    with pytest.raises(RevisionError, match=first.id):
        await store.save_workflow(made(definition, retry_for=first.id), guard=guard)
    third = await saved(store, definition, retry_for=first.id)
    found = await store.workflow(first.id)
    assert found.retries == (second.id, third.id)
    assert (await store.workflow(second.id)).retry_for == first.id
    await store.delete_workflow(second.id)
    assert (await store.workflow(first.id)).retries == (third.id,)


async def test_a_request_with_a_key_is_done_once(store: Store, definition: WorkflowDefinition):
    key = IdempotencyKey("k", "request 1", now() + timedelta(hours=1))
    first = await store.save_workflow(made(definition), idempotency=key)
    again = await store.save_workflow(made(definition), idempotency=key)
    assert again.id == first.id
    with pytest.raises(IdempotencyError, match="'k'"):
        await store.save_workflow(made(definition), idempotency=IdempotencyKey("k", "request 2", key.expires))
    over = IdempotencyKey("old", "request 1", now() - timedelta(seconds=1))
    old = await store.save_workflow(made(definition), idempotency=over)
    new = await store.save_workflow(made(definition), idempotency=over)
    assert new.id != old.id
    await store.delete_workflow(first.id)
    assert (await store.save_workflow(made(definition), idempotency=key)).id not in {first.id, new.id}


async def test_a_key_whose_workflow_is_gone_brings_about_one_more(store: Store, definition: WorkflowDefinition):
    key = IdempotencyKey("k", "request 1", now() + timedelta(hours=1))
    ids = [(await store.save_workflow(made(definition), idempotency=key)).id]
    for times in range(3):
        await store.delete_workflow(ids[-1])
        found = await at_once(lambda: store.save_workflow(made(definition), idempotency=key))
        ids.append(found[0].id)
        assert [one.id for one in found] == [ids[-1]] * 6, times
        assert [one.id for one in (await store.workflows(Query())).items] == [ids[-1]]
    assert len(set(ids)) == 4


async def test_a_key_that_has_expired_is_new_for_one(store: Store):
    for number in range(3):
        over = IdempotencyKey(f"k {number}", "request 1", now() - timedelta(seconds=1))
        await store.name_request(over, "old")
        again = replace(over, expires=now() + timedelta(hours=1))
        found = await at_once(lambda again=again: store.name_request(again, "new"))
        assert sorted(map(str, found)) == ["None"] + ["new"] * 5


async def test_what_a_request_with_a_key_is_to_bring_about_is_kept(store: Store):
    key = IdempotencyKey("redrive\nk", "request 1", now() + timedelta(hours=1))
    assert await store.name_request(key, "1") is None
    assert [await store.name_request(key, "2") for _ in range(2)] == ["1", "1"]
    with pytest.raises(IdempotencyError, match="'k' was used"):
        await store.name_request(IdempotencyKey(key.key, "request 2", key.expires), "2")
    over = IdempotencyKey("old", "request 1", now() - timedelta(seconds=1))
    assert [await store.name_request(over, "1") for _ in range(2)] == [None, None]


async def test_a_request_that_was_done_is_known_before_anything_is_guarded(
    store: Store, definition: WorkflowDefinition
):
    done, other = (IdempotencyKey(key, "hash", now() + timedelta(days=1)) for key in ("done", "other"))
    first = await store.save_workflow(made(definition), idempotency=done)
    nobody = Guard("nobody", -1)
    assert (await store.save_workflow(made(definition), idempotency=done, guard=nobody)).id == first.id
    unwritten = made(definition)
    with pytest.raises(RevisionError):
        await store.save_workflow(unwritten, idempotency=other, guard=nobody)
    with pytest.raises(NotFoundError):
        await store.workflow(unwritten.id)
    second = made(definition)
    assert (await store.save_workflow(second, idempotency=other)).id == second.id


async def at_once(call: Callable[[], Awaitable[T]]) -> list[T]:
    """What six calls at the same moment return."""
    found: list[T] = []

    async def one() -> None:
        found.append(await call())

    async with anyio.create_task_group() as group:
        for _ in range(6):
            group.start_soon(one)
    return found


async def test_workflows_that_ended_long_ago_are_deleted(store: Store, definition: WorkflowDefinition):
    day = timedelta(days=1)
    old = [await ended(store, definition, Status.FAILED, stopped_at=now() - n * day, tags={"a": "b"}) for n in (3, 5)]
    young = await ended(store, definition, Status.SUCCEEDED, stopped_at=now())
    running = await saved(store, definition)
    assert await store.delete_finished(now() - 4 * day) == 1
    assert await store.delete_finished(now() - day, limit=1) == 1
    assert await store.delete_finished(now() - day) == 0
    for gone in old:
        with pytest.raises(NotFoundError):
            await store.workflow(gone.id)
    assert await store.workflow(young.id)
    assert await store.workflow(running.id)


async def test_what_has_not_ended_is_found_the_oldest_first(store: Store, definition: WorkflowDefinition):
    first, second = await saved(store, definition), await saved(store, definition)
    await ended(store, definition, Status.CANCELLED)
    third = await ended(store, definition, Status.RUNNING)
    second = await store.update_workflow(second.id, Change(launch=Launch.STARTED))
    assert [found.id async for found in store.unfinished()] == [first.id, second.id, third.id]
    assert [found.id async for found in store.unfinished(Launch.STARTED)] == [second.id]
    waiting = [found.id async for found in store.unfinished(Launch.WAITING, Launch.STARTING)]
    assert waiting == [first.id, third.id]


async def test_many_that_have_not_ended_are_found_batch_by_batch(
    store: Store, definition: WorkflowDefinition, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("workers.manager.store.sql.workflows._BATCH", 2)
    kept = [(await saved(store, definition)).id for _ in range(5)]
    assert [found.id async for found in store.unfinished()] == kept


async def test_workflows_are_counted(store: Store, definition: WorkflowDefinition):
    second = await store.update_definition(definition)
    for about in (definition, definition, second):
        await saved(store, about)
    await ended(store, second, Status.SUCCEEDED, resolved_by_user=True)
    found = {(c.version, c.status, c.resolved_by_user): c.count for c in await store.counts() if c.count}
    assert found == {(0, Status.QUEUED, False): 2, (1, Status.QUEUED, False): 1, (1, Status.SUCCEEDED, True): 1}
