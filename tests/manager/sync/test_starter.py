"""Starting what waits, with real starts in the engine."""

from collections import Counter
from datetime import timedelta

import anyio
import pytest

from tests.executions.machines import ECHO, WAITS
from tests.manager.store.workflows import made, saved
from tests.manager.sync.conftest import House
from tests.proxy import Proxy, refused
from workers.manager.model import Launch, Queue, Status, now
from workers.manager.observing import Observer
from workers.manager.store.interface import Claim
from workers.manager.sync.starter import Starter
from workers.manager.sync.sync import Sync
from workers.payloads.together import background


def sync(house: House) -> Sync:
    return Sync(house.store, house.account, launch=house.launch, observer=Observer(house.account, house.store))


async def test_a_limited_queue_runs_its_workflows_in_order(house: House):
    await house.machine(ECHO, "slow")
    await house.store.save_queue(Queue(name="slow", limit=1))
    kept = [await saved(house.store, house.definition, queue="slow") for _ in range(4)]
    async with sync(house).running():
        for workflow in kept:
            await house.until(workflow, Status.SUCCEEDED, by=anyio.lowlevel.checkpoint)
    assert house.starts == [workflow.id for workflow in kept]


async def test_a_start_that_was_interrupted_is_done_by_another(house: House):
    await house.machine(WAITS)
    lapsed = Claim("dead", now() - timedelta(seconds=1))
    never = await house.store.save_workflow(made(house.definition), claim=lapsed)
    sent = await house.store.save_workflow(made(house.definition), claim=lapsed)
    await house.account.call(
        "StartExecution", stateMachineArn=house.machines["default"], name=sent.id, input=sent.input
    )
    async with sync(house).running():
        for workflow in (never, sent):
            found = await house.until(workflow, Status.RUNNING, by=anyio.lowlevel.checkpoint)
            assert found.launch is Launch.STARTED
    machine = house.machines["default"]
    items = house.account.items("ListExecutions", "executions", stateMachineArn=machine)
    assert {item["name"] async for item in items} == {never.id, sent.id}


async def test_several_processes_start_each_workflow_once(house: House):
    await house.machine(ECHO)
    kept = [await saved(house.store, house.definition) for _ in range(30)]
    async with sync(house).running(), sync(house).running(), sync(house).running():
        for workflow in kept:
            await house.until(workflow, Status.SUCCEEDED, by=anyio.lowlevel.checkpoint)
    assert Counter(house.starts) == Counter(workflow.id for workflow in kept)


async def test_a_start_that_fails_is_tried_again(
    house: House, proxy: Proxy, hasty: None, monkeypatch: pytest.MonkeyPatch
):
    await house.machine(ECHO)
    kept = await saved(house.store, house.definition)
    proxy.answers["StartExecution"] = [refused("AccessDeniedException")]
    starter = Starter(house.store, house.launch, owner="me")
    monkeypatch.setattr(starter, "claim", lambda: Claim("me", now()))  # it lapses at once
    async with background() as group:
        group.start_soon(starter.run)
        await house.until(kept, Status.SUCCEEDED, by=lambda: house.recorder.refresh(kept.id))
    assert house.starts == [kept.id] * 2
