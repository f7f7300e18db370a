"""Queues, claims and leases, in every store."""

from collections import Counter
from datetime import timedelta
from typing import Any

import anyio
import pytest

from tests.manager.store.workflows import made, saved
from workers.manager.errors import NotFoundError
from workers.manager.model import Change, Launch, Queue, QueueState, Status, Workflow, WorkflowDefinition, now
from workers.manager.store.interface import Claim, Store


def claim(owner: str = "me", seconds: float = 60) -> Claim:
    return Claim(owner, now() + timedelta(seconds=seconds))


async def finish(store: Store, workflow: Workflow) -> None:
    await store.update_workflow(workflow.id, Change(status=Status.SUCCEEDED))


async def test_a_queue_without_a_limit_lets_all_start(store: Store, definition: WorkflowDefinition):
    first = await store.save_workflow(made(definition), claim=claim())
    assert first.launch is Launch.STARTING
    second = await saved(store, definition)
    assert second.launch is Launch.WAITING
    (found,) = await store.claim_starts(claim())
    assert found.id == second.id
    assert found.launch is Launch.STARTING
    assert found.revision == second.revision + 1
    assert await store.claim_starts(claim()) == []


async def test_a_limited_queue_lets_them_start_in_order(store: Store, definition: WorkflowDefinition):
    await store.save_queue(Queue(name="slow", limit=2))
    kept = [await store.save_workflow(made(definition, queue="slow"), claim=claim()) for _ in range(5)]
    assert [workflow.launch for workflow in kept] == [Launch.STARTING] * 2 + [Launch.WAITING] * 3
    await store.update_workflow(kept[0].id, Change(launch=Launch.STARTED, status=Status.RUNNING))
    assert await store.claim_starts(claim()) == []
    assert await store.queues() == [QueueState(name="slow", limit=2, waiting=3, running=2)]
    await finish(store, kept[0])
    assert (await store.save_workflow(made(definition, queue="slow"), claim=claim())).launch is Launch.WAITING
    (found,) = await store.claim_starts(claim())
    assert found.id == kept[2].id
    await finish(store, kept[1])
    await finish(store, kept[2])
    assert [found.id for found in await store.claim_starts(claim())] == [kept[3].id, kept[4].id]


async def test_limits_change_while_workflows_wait(store: Store, definition: WorkflowDefinition):
    await store.save_queue(Queue(name="slow", limit=0))
    kept = [await saved(store, definition, queue="slow") for _ in range(3)]
    other = await saved(store, definition, queue="other")
    assert [found.id for found in await store.claim_starts(claim())] == [other.id]
    await store.save_queue(Queue(name="slow", limit=1))
    assert [found.id for found in await store.claim_starts(claim())] == [kept[0].id]
    await store.delete_queue("slow")
    with pytest.raises(NotFoundError, match="slow"):
        await store.delete_queue("slow")
    assert [found.id for found in await store.claim_starts(claim(), limit=1)] == [kept[1].id]
    assert [found.id for found in await store.claim_starts(claim())] == [kept[2].id]


async def test_one_workflow_is_claimed_when_it_is_its_turn(store: Store, definition: WorkflowDefinition):
    await store.save_queue(Queue(name="slow", limit=1))
    first, second = [await saved(store, definition, queue="slow") for _ in range(2)]
    assert await store.claim_start(second.id, claim()) is None
    found = await store.claim_start(first.id, claim())
    assert found
    assert found.launch is Launch.STARTING
    assert await store.claim_start(first.id, claim("another")) is None
    await finish(store, first)
    assert await store.claim_start(first.id, claim()) is None
    assert await store.claim_start(second.id, claim())
    assert await store.claim_start("nobody", claim()) is None


async def test_a_claim_that_has_lapsed_comes_to_another(store: Store, definition: WorkflowDefinition):
    kept = await store.save_workflow(made(definition), claim=claim(seconds=-1))
    (found,) = await store.claim_starts(claim("another"))
    assert (found.id, found.launch) == (kept.id, Launch.STARTING)
    assert await store.claim_starts(claim()) == []
    await store.update_workflow(kept.id, Change(launch=Launch.STARTED))
    late = await store.save_workflow(made(definition), claim=claim(seconds=-1))
    assert await store.claim_start(late.id, claim())


async def test_many_at_once_start_each_once_and_no_more_than_may_run(store: Store, definition: WorkflowDefinition):
    await store.save_queue(Queue(name="slow", limit=3))
    kept = [await saved(store, definition, queue="slow") for _ in range(12)]
    started: list[str] = []
    running = 0
    most = 0

    async def start(owner: str) -> None:
        nonlocal running, most
        while len(started) < len(kept):
            for found in await store.claim_starts(claim(owner), limit=2):
                started.append(found.id)
                running += 1
                most = max(most, running)
                await store.update_workflow(found.id, Change(launch=Launch.STARTED, status=Status.RUNNING))
                running -= 1
                await finish(store, found)

    async with anyio.create_task_group() as group:
        for n in range(4):
            group.start_soon(start, str(n))
    assert Counter(started) == Counter(workflow.id for workflow in kept)
    assert most <= 3


async def test_a_lease_has_one_owner_until_it_is_over(store: Store, clock: Any):
    mine = await store.acquire_lease("sync", "me", 30)
    assert mine
    assert await store.acquire_lease("sync", "other", 30) is None
    clock.move(20)
    renewed = await store.acquire_lease("sync", "me", 30)
    assert renewed
    assert (renewed.token, renewed.expires) == (mine.token, mine.expires + timedelta(seconds=20))
    clock.move(31)
    others = await store.acquire_lease("sync", "other", 30)
    assert others
    assert others.token > renewed.token
    await store.release_lease(renewed)
    assert await store.acquire_lease("sync", "me", 30) is None
    await store.release_lease(others)
    assert await store.acquire_lease("sync", "me", 30)


async def test_many_at_once_get_one_lease(store: Store):
    got: list[str] = []

    async def acquire(owner: str) -> None:
        if await store.acquire_lease("sync", owner, 60):
            got.append(owner)

    async with anyio.create_task_group() as group:
        for n in range(8):
            group.start_soon(acquire, str(n))
    assert len(got) == 1
