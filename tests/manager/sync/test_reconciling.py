"""What no event told is found by lists, within the token buckets of an account; and how fast workflows are started."""

import time
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import uuid4

import anyio
import pytest

from tests.manager.store.conftest import MACHINE, database
from tests.manager.store.workflows import made, saved
from tests.manager.sync.conftest import Store
from tests.manager.sync.stub import Stub, stub_of
from tests.proxy import opened
from workers.manager.launching import Launcher
from workers.manager.machines import Machine
from workers.manager.model import Launch, Status, Workflow
from workers.manager.observing import Observer
from workers.manager.store.choice import open_store
from workers.manager.sync.sync import Receive, Sync
from workers.stepfunctions.account import Account

ENDS = {"SUCCEEDED": Status.SUCCEEDED, "FAILED": Status.FAILED, "TIMED_OUT": Status.FAILED, "ABORTED": Status.CANCELLED}


async def _never(workflow: Workflow) -> None:
    raise AssertionError(workflow.id)


async def _silence(recorder: object) -> None:
    """Events are expected, and none comes."""
    del recorder
    await anyio.sleep_forever()


async def running(store: Store, stub: Stub, machines: int, each: int) -> list[str]:
    """Workflows that ran when the service ended; their ids."""
    definition = await store.save_definition(MACHINE)
    begun = time.time() - 3_600
    ids = [str(uuid4()) for _ in range(machines * each)]
    for number, workflow_id in enumerate(ids):
        arn = stub.put(f"machine-{number % machines}", workflow_id, "RUNNING", begun + number / 1_000)
        fields = {"execution_arn": arn, "launch": Launch.STARTED, "status": Status.RUNNING}
        await store.save_workflow(made(definition, id=workflow_id, **fields))
    return ids


def end(stub: Stub, ids: list[str]) -> dict[str, Status]:
    """Lets these end, in all ways; how each is to be found."""
    expected = {}
    for number, name in enumerate(ids):
        status = list(ENDS)[number // 7 % len(ENDS)]
        stub.executions[name] |= {"status": status, "stopDate": time.time()}
        expected[name] = ENDS[status]
    return expected


async def until_right(store: Store, expected: dict[str, Status]) -> float:
    """The seconds until the store has the status of each."""
    begun = time.monotonic()
    while True:
        left = {workflow.id async for workflow in store.unfinished()}
        if not left & expected.keys():
            break
        await anyio.sleep(0.2)
    ids = list(expected)
    for first in range(0, len(ids), 500):
        for found in await store.many_workflows(ids[first : first + 500]):
            assert found.status is expected[found.id]
    return time.monotonic() - begun


@pytest.fixture
async def stub(account: object, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Stub]:
    del account  # it sets the credentials
    async with stub_of("eu-central-1") as found:
        monkeypatch.setenv("AWS_ENDPOINT_URL_SFN", found.url)
        monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
        yield found


def sync(store: Store, account: Account, receive: Receive | None = None) -> Sync:
    return Sync(store, account, launch=_never, observer=Observer(account, store), receive=receive)


@pytest.mark.parametrize("receive", [None, _silence], ids=["alone", "beside-events"])
async def test_after_a_restart_all_is_found_by_few_calls(store: Store, stub: Stub, receive: Receive | None):
    ids = await running(store, stub, machines=3, each=60)
    expected = end(stub, ids[:-30])
    async with opened() as account, sync(store, account, receive).running():
        await until_right(store, expected)
    assert {one.id async for one in store.unfinished()} == set(ids[-30:])
    assert stub.throttled["ListExecutions"] == 0


@pytest.mark.slow
@pytest.mark.parametrize("ended", [10_000, 5_000, 100])
async def test_ten_thousand_workflows_over_twenty_machines(store: Store, stub: Stub, ended: int):
    """In a region with small buckets, after a restart, without any event."""
    ids = await running(store, stub, machines=20, each=500)
    expected = end(stub, ids[:ended])
    async with opened() as account, sync(store, account).running():
        with anyio.fail_after(60):
            took = await until_right(store, expected)
    print(f"{ended:,} of 10,000 ended: right after {took:.1f} s, {dict(stub.calls)}, throttled {dict(stub.throttled)}")
    assert stub.throttled["ListExecutions"] == 0


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
async def test_many_that_wait_are_started_once_each(
    kind: str, request: pytest.FixtureRequest, tmp_path: Path, stub: Stub, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")  # 300 starts a second flow back there
    async with open_store(database(request, kind, tmp_path)) as store, opened() as account:
        definition = await store.save_definition(MACHINE)
        kept = [await saved(store, definition) for _ in range(2_000)]

        class Known:
            """The machine is there."""

            async def of(self, workflow: Workflow) -> Machine:
                del workflow
                return Machine("arn:aws:states:us-east-1:123456789012:stateMachine:greeting--0--Greet")

        stub.buckets._which = 0
        launcher = Launcher(store, account, Known())  # type: ignore[arg-type]
        whole = Sync(store, account, launch=launcher.launch, observer=Observer(account, store))
        begun = time.monotonic()
        async with anyio.create_task_group() as group:
            group.start_soon(whole.starter.run)
            while len(stub.started) < len(kept):
                await anyio.sleep(0.05)
            took = time.monotonic() - begun
            group.cancel_scope.cancel()
        print(f"{len(kept):,} starts in {took:.1f} s: {len(kept) / took:.0f} a second")  # benchmarks judge the rate
        assert stub.started == Counter(workflow.id for workflow in kept)
