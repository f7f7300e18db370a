"""Distributed Maps whose items are still being read when something happens to them."""

import asyncio
import json
import threading
from collections.abc import Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.account import Account
from tests.local.helpers import Activity, connect, history
from tests.local.test_map_runs import SAME, each, reading
from workers.local import LocalStepFunctions, services

ITEMS = [1, 2]


class Held:
    """S3 that does not answer who reads the items, until it is let go."""

    def __init__(self) -> None:
        self._asked = threading.Event()
        self._released = threading.Event()
        self._real = services._call

    def call(self, environ: dict[str, Any]) -> Any:
        if environ["REQUEST_METHOD"] == "GET" and environ["PATH_INFO"].endswith("/items"):
            self._asked.set()
            self._released.wait()
        return self._real(environ)

    async def asked(self) -> None:
        """Returns when somebody reads the items."""
        await asyncio.to_thread(self._asked.wait)

    def let_go(self) -> None:
        self._released.set()


@pytest.fixture
def held(monkeypatch: pytest.MonkeyPatch) -> Iterator[Held]:
    held = Held()
    monkeypatch.setattr(services, "_call", held.call)
    yield held
    held.let_go()


@pytest.fixture
async def machine(bucket: Any) -> dict[str, Any]:
    """A machine that goes over two items in S3."""
    name, s3 = bucket
    await s3.put_object(Bucket=name, Key="items", Body=json.dumps(ITEMS).encode())
    return each(SAME, ItemReader=reading(name, "items", {"InputType": "JSON"}))


async def statuses(account: Account, execution: str) -> list[str]:
    """Of all map runs of an execution, in the order in which they started."""
    listed = (await account.client.list_map_runs(executionArn=execution))["mapRuns"]
    runs = [await account.client.describe_map_run(mapRunArn=run["mapRunArn"]) for run in listed]
    return [run["status"] for run in sorted(runs, key=lambda run: run["startDate"])]


async def ends(account: Account, execution: str) -> list[str]:
    """The same, once none of them runs."""
    while "RUNNING" in (found := await statuses(account, execution)):
        await asyncio.sleep(0.02)
    return found


async def test_a_stop_ends_the_map_run_and_a_redrive_begins_another(
    account: Account, machine: dict[str, Any], held: Held
):
    execution = await account.start(machine)
    await held.asked()
    assert await statuses(account, execution) == ["RUNNING"]
    await account.client.stop_execution(executionArn=execution)
    assert await ends(account, execution) == ["ABORTED"]
    held.let_go()
    await account.client.redrive_execution(executionArn=execution)
    assert json.loads((await account.ended(execution))["output"]) == ITEMS
    assert await ends(account, execution) == ["ABORTED", "SUCCEEDED"]
    assert "MapRunRedriven" not in await history(account, execution)


async def test_a_failure_beside_it_ends_the_map_run(
    account: Account, activity: Activity, machine: dict[str, Any], held: Held
):
    branches = [machine, {"StartAt": "Work", "States": {"Work": activity.state()}}]
    fork = {"StartAt": "Fork", "States": {"Fork": {"Type": "Parallel", "Branches": branches, "End": True}}}
    execution = await account.start(fork)
    await held.asked()
    token, _ = await activity.task()
    await activity.fail(token)
    await account.ended(execution)
    last = ["MapRunAborted", "MapStateAborted", "ParallelStateFailed", "ExecutionFailed"]
    assert (await history(account, execution))[-4:] == last
    assert await ends(account, execution) == ["ABORTED"]


async def test_a_restart_reads_the_items_again(tmp_path: Path, machine: dict[str, Any], held: Held):
    @asynccontextmanager
    async def opened() -> Any:
        async with LocalStepFunctions(data=tmp_path) as local, connect(local) as client:
            yield Account(client)

    async with opened() as account:
        execution = await account.start(machine)
        await held.asked()
    held.let_go()
    async with opened() as account:
        assert json.loads((await account.ended(execution))["output"]) == ITEMS
        assert await ends(account, execution) == ["SUCCEEDED"]
        assert (await history(account, execution)).count("MapRunStarted") == 1
