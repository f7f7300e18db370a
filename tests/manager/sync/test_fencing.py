"""A process that was paused and goes on: what it had decided before does no harm to what others have done meanwhile."""

from datetime import timedelta
from typing import Any

import anyio
import pytest

from tests.executions.machines import WAITS
from tests.manager.store.workflows import made
from tests.manager.sync.conftest import House, Store
from tests.proxy import Proxy, refused
from workers.manager.launching import Launcher
from workers.manager.machines import Machine
from workers.manager.manager import LocalManager
from workers.manager.model import Change, Launch, Status, now
from workers.manager.observing import Observer
from workers.manager.store.interface import Claim
from workers.manager.sync import leading, recorder
from workers.manager.sync.leading import Turn, lead
from workers.manager.sync.recorder import Recorder
from workers.payloads.together import background

LAPSED = Claim("paused", now() - timedelta(seconds=1))


class Known:
    """The machine of every workflow is there."""

    def __init__(self, arn: str) -> None:
        self._machine = Machine(arn)

    async def of(self, workflow: Any) -> Machine:
        del workflow
        return self._machine


async def test_a_start_that_another_has_taken_over_is_not_made_a_failure(house: House, proxy: Proxy):
    await house.machine(WAITS)
    mine = await house.store.save_workflow(made(house.definition), claim=LAPSED)
    theirs = await house.store.claim_start(mine.id, Claim("other", now() + timedelta(seconds=60)))
    assert theirs
    await house.launch(theirs)
    proxy.answers["StartExecution"] = [refused("InvalidName")]
    launcher = Launcher(house.store, house.account, Known(house.machines["default"]))  # type: ignore[arg-type]
    found = await launcher.launch(mine)
    assert (found.status, found.launch) == (Status.QUEUED, Launch.STARTED)
    manager = LocalManager(house.store, house.account)
    await manager._withdraw(mine)  # who asked for it hears of the refusal, and the workflow stays
    assert (await house.store.workflow(mine.id)).execution_arn


async def test_what_was_redriven_is_not_stopped_for_what_was_said_before(house: House, proxy: Proxy):
    await house.machine(WAITS)
    kept = await house.started()
    cancelled = await house.store.update_workflow(kept.id, Change(cancel_reason="enough"))
    redriven = Change(status=Status.RUNNING, redrive_count=1, cancel_reason=None)
    await house.store.update_workflow(kept.id, redriven)
    await house.recorder.stop(cancelled)
    assert proxy.called("StopExecution") == []


async def test_what_was_read_before_a_pause_is_read_again(house: House, proxy: Proxy, monkeypatch: pytest.MonkeyPatch):
    await house.machine(WAITS)
    kept = await house.started()
    cancelled = await house.store.update_workflow(kept.id, Change(cancel_reason="enough"))
    monkeypatch.setattr(recorder, "_FRESH", 0.2)
    reads: list[str] = []

    class Paused:
        """Between its answer and whoever asked, time passes."""

        async def workflow(self, workflow_id: str) -> Any:
            found = await house.store.workflow(workflow_id)
            reads.append(workflow_id)
            if len(reads) == 1:
                await house.store.update_workflow(workflow_id, Change(cancel_reason=None))
                await anyio.sleep(0.3)
            return found

    paused = Recorder(Paused(), house.account, Observer(house.account, house.store))  # type: ignore[arg-type]
    await paused.stop(cancelled)
    assert len(reads) == 2
    assert proxy.called("StopExecution") == []


async def test_when_its_turn_is_over_nothing_is_looked_at(house: House, proxy: Proxy):
    await house.machine(WAITS)
    await house.started()
    await house.poller.round(Turn(anyio.current_time() - 1))
    await house.poller.run(Turn(anyio.current_time() - 1))
    assert proxy.called("DescribeExecution") == []
    house.poller._due.clear()
    await house.poller.round(Turn(anyio.current_time() + 60))
    assert len(proxy.called("DescribeExecution")) == 1


async def test_who_slept_through_the_lease_finds_its_turn_over(store: Store, monkeypatch: pytest.MonkeyPatch):
    """Even before the store says who has it now."""
    monkeypatch.setattr(leading, "LEASE", 0.5)
    monkeypatch.setattr(leading, "_RENEWED", 30.0)  # nothing is renewed, as in a process that sleeps
    turns: list[Turn] = []
    begun = anyio.Event()

    async def work(turn: Turn) -> None:
        turns.append(turn)
        begun.set()
        await anyio.sleep_forever()

    async with background() as group:
        group.start_soon(lead, store, "poll", "sleeper", work)
        await begun.wait()
        assert turns[0].holds
        while await store.acquire_lease("poll", "other", 60) is None:
            await anyio.sleep(0.05)
        assert not turns[0].holds


async def test_at_the_end_the_lease_is_given_back(store: Store):
    begun = anyio.Event()

    async def work(turn: Turn) -> None:
        del turn
        begun.set()
        await anyio.sleep_forever()

    async with background() as group:
        group.start_soon(lead, store, "poll", "first", work)
        await begun.wait()
        assert await store.acquire_lease("poll", "second", 60) is None
    assert await store.acquire_lease("poll", "second", 60)
