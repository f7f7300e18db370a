"""The store or Step Functions away for a while: requests fail cleanly or wait, and nothing is lost."""

import sqlite3
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path

import anyio
import anyio.lowlevel
import pytest

from tests.account import ROLE, unique
from tests.manager.conftest import PASSES, kept_open
from tests.proxy import Proxy, refused
from workers.manager.errors import UnavailableError
from workers.manager.manager import LocalManager, open_manager
from workers.manager.model import Query, Status
from workers.manager.requests import NewWorkflowDefinition
from workers.manager.store.sql import database
from workers.stepfunctions.account import Account

AWAY = 20.0
"""Seconds."""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "manager.sqlite"


@pytest.fixture
async def manager(proxy: Proxy, here: Account, file: Path) -> AsyncIterator[LocalManager]:
    del proxy  # first of all, for the account is opened where it points to
    async with kept_open(open_manager(f"sqlite:///{file}", here, role=ROLE)) as found:
        yield found


async def defined(manager: LocalManager) -> str:
    name = unique("wf")
    await manager.create_definition(NewWorkflowDefinition(name=name, state_machine=PASSES))
    return name


async def all_succeed(manager: LocalManager, number: int) -> list[str]:
    with anyio.fail_after(60):
        while True:
            found = (await manager.workflows(Query(limit=100))).items
            assert len(found) <= number
            if len(found) == number and all(one.status is Status.SUCCEEDED for one in found):
                return [one.id for one in found]
            await anyio.sleep(0.1)


async def started(manager: LocalManager, name: str) -> Counter[str]:
    """How often Step Functions began an execution of each name."""
    machine = manager.account.state_machine(f"{name}--0--first")
    items = manager.account.items("ListExecutions", "executions", stateMachineArn=machine)
    return Counter([item["name"] async for item in items])


@pytest.mark.slow
async def test_the_store_is_away_for_twenty_seconds(manager: LocalManager, file: Path, monkeypatch: pytest.MonkeyPatch):
    name = await defined(manager)
    begun = [(await manager.start_workflow(name)).id for _ in range(5)]
    other = sqlite3.connect(file, isolation_level=None, timeout=30)
    other.execute("BEGIN IMMEDIATE")
    failures = 0
    with anyio.move_on_after(AWAY):
        while True:
            with anyio.CancelScope(shield=True):
                with pytest.raises(UnavailableError):
                    await manager.start_workflow(name, idempotency_key="once")
                failures += 1
                await manager.workflows(Query())  # who reads need not wait
            await anyio.lowlevel.checkpoint()
    other.execute("ROLLBACK")
    other.close()
    kept = [(await manager.start_workflow(name, idempotency_key="once")).id for _ in range(2)]
    assert failures >= AWAY / (2 * database._WAIT)
    assert len(set(kept)) == 1
    ids = await all_succeed(manager, 6)
    assert set(ids) == {*begun, *kept}
    assert await started(manager, name) == Counter(ids)


async def test_step_functions_throttles_starts(manager: LocalManager, proxy: Proxy, hasty: None):
    name = await defined(manager)
    throttled = [refused("ThrottlingException") for _ in range(8)]
    proxy.answers["StartExecution"] = throttled[:]
    proxy.answers["DescribeExecution"] = [refused("ThrottlingException") for _ in range(8)]
    for _ in range(4):
        await manager.start_workflow(name)
    ids = await all_succeed(manager, 4)
    assert await started(manager, name) == Counter(ids)


async def test_the_answer_to_a_start_is_lost(manager: LocalManager, proxy: Proxy, hasty: None):
    """The execution has begun, and the caller's connection broke: the same name finds it again."""
    name = await defined(manager)
    first = await manager.start_workflow(name)
    await all_succeed(manager, 1)
    proxy.answers["StartExecution"] = [refused("ExecutionAlreadyExists")]
    second = await manager.start_workflow(name, idempotency_key="once")
    assert second.execution_arn == str(first.execution_arn).replace(first.id, second.id)
