"""A manager at work: in this process, on the engine, with a store in memory."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any, TypeVar

import anyio
import pytest

from tests.account import ROLE, unique
from tests.proxy import Proxy, hasty, here, opened, proxy
from workers.machines.activities import ensure_activities
from workers.manager.interface import WorkflowManager
from workers.manager.manager import LocalManager, open_manager
from workers.manager.model import Status, Workflow, WorkflowDefinition
from workers.manager.requests import NewWorkflowDefinition
from workers.stepfunctions.account import Account

__all__ = ["hasty", "here", "proxy"]

T = TypeVar("T")
PASSES = {"StartAt": "first", "States": {"first": {"Type": "Pass", "End": True}}}
CHAIN = {
    "StartAt": "one",
    "TimeoutSeconds": 300,
    "States": {
        "one": {"Type": "Task", "Resource": "one", "TimeoutSeconds": 60, "HeartbeatSeconds": 30, "Next": "two"},
        "two": {"Type": "Task", "Resource": "two", "TimeoutSeconds": 60, "HeartbeatSeconds": 30, "End": True},
    },
}
WAITS = {"StartAt": "wait", "States": {"wait": {"Type": "Wait", "Seconds": 600, "End": True}}}
BREAKS = {
    "StartAt": "look",
    "States": {
        "look": {
            "Type": "Choice",
            "Choices": [{"Variable": "$.fine", "IsPresent": True, "Next": "end"}],
            "Default": "break",
        },
        "break": {"Type": "Fail", "Error": "Broken", "Cause": "as the test says"},
        "end": {"Type": "Succeed"},
    },
}


@asynccontextmanager
async def kept_open(context: AbstractAsyncContextManager[T]) -> AsyncIterator[T]:
    """`context` in a task of its own: fixtures are left by another task than the one that entered them."""
    opened_: asyncio.Future[T] = asyncio.get_running_loop().create_future()
    leave = asyncio.Event()

    async def hold() -> None:
        async with context as value:
            opened_.set_result(value)
            await leave.wait()

    holding = asyncio.create_task(hold())
    await asyncio.wait({holding, opened_}, return_when=asyncio.FIRST_COMPLETED)
    if not opened_.done():
        await holding
    try:
        yield opened_.result()
    finally:
        leave.set()
        await holding


@pytest.fixture
async def manager(here: Account) -> AsyncIterator[LocalManager]:
    async with kept_open(open_manager("sqlite://", here, role=ROLE)) as opened_:
        yield opened_


@pytest.fixture
async def watched(proxy: Proxy) -> AsyncIterator[tuple[LocalManager, Proxy]]:
    """A manager, and what is between it and Step Functions."""
    async with opened() as account, kept_open(open_manager("sqlite://", account, role=ROLE)) as opened_:
        yield opened_, proxy


async def defined(manager: WorkflowManager, machine: dict[str, Any], **fields: Any) -> WorkflowDefinition:
    """A new definition."""
    name = fields.pop("name", None) or unique("wf")
    return await manager.create_definition(NewWorkflowDefinition(name=name, state_machine=machine, **fields))


async def until(manager: WorkflowManager, workflow: Workflow | str, *status: str, history: bool = False) -> Workflow:
    """The workflow when it has one of those statuses."""
    workflow_id = workflow if isinstance(workflow, str) else workflow.id
    with anyio.fail_after(30):
        while True:
            found = await manager.workflow(workflow_id)
            if found.status in {Status(one) for one in status}:
                return await manager.workflow(workflow_id, history=True) if history else found
            await anyio.sleep(0.05)


async def ended(manager: WorkflowManager, workflow: Workflow | str, *, history: bool = False) -> Workflow:
    """The workflow when it has ended."""
    return await until(manager, workflow, "succeeded", "failed", "cancelled", history=history)


async def activities(account: Account, *names: str) -> None:
    """Creates activities, as their workers would."""
    await ensure_activities(names, account=account)
