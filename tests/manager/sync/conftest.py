"""A store, the engine, and what is between them."""

from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import anyio
import pytest

from tests.executions.machines import registered
from tests.manager.store.conftest import MACHINE
from tests.manager.store.workflows import made
from tests.proxy import Proxy, hasty, here, proxy
from workers.manager.model import Change, Launch, Status, Workflow, WorkflowDefinition, now
from workers.manager.observing import Observer
from workers.manager.store.choice import open_store
from workers.manager.store.interface import Claim, Store
from workers.manager.sync.poller import Poller
from workers.manager.sync.recorder import Recorder
from workers.stepfunctions.account import Account

__all__ = ["hasty", "here", "proxy"]


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/manager.sqlite"


@pytest.fixture
async def store(url: str) -> AsyncIterator[Store]:
    async with open_store(url) as opened:
        yield opened


class House:
    """Workflows whose machines the test chooses; `starts` counts how often each was started."""

    def __init__(self, store: Store, account: Account, definition: WorkflowDefinition) -> None:
        self.store = store
        self.account = account
        self.definition = definition
        self.ended: list[Workflow] = []
        self.puzzled: list[str] = []
        observer = Observer(account, store)
        self.recorder = Recorder(store, account, observer, ended=self.ended.append, puzzled=self.puzzled.append)
        self.poller = Poller(store, account, self.recorder)
        self.machines: dict[str, str] = {}
        self.starts: list[str] = []

    async def machine(self, asl: dict[str, Any], queue: str = "default") -> None:
        """What the workflows of a queue run."""
        self.machines[queue] = (await registered(self.account, asl)).arn

    async def launch(self, workflow: Workflow) -> Workflow:
        """Starts the execution of a workflow. It is written down before: its machine has not the name it should have,
        by which an event that is faster would be known."""
        self.starts.append(workflow.id)
        machine = self.machines[workflow.queue]
        arn = self.account.place.execution(machine.rpartition(":")[2], workflow.id)
        await self.store.update_workflow(workflow.id, Change(execution_arn=arn))
        await self.account.call("StartExecution", stateMachineArn=machine, name=workflow.id, input=workflow.input)
        return await self.store.update_workflow(workflow.id, Change(launch=Launch.STARTED))

    async def look(self) -> None:
        """A round of polling, in which lists may be read again."""
        self.poller._listed.clear()
        await self.poller.round()

    async def started(self, queue: str = "default", **fields: Any) -> Workflow:
        """A workflow whose execution has been started."""
        claim = Claim("test", now() + timedelta(seconds=60))
        kept = await self.store.save_workflow(made(self.definition, queue=queue, **fields), claim=claim)
        return await self.launch(kept)

    async def until(self, workflow: Workflow | str, *status: Status, by: Callable[[], Awaitable[Any]]) -> Workflow:
        """The workflow when it has one of those statuses; until then `by` is done again and again."""
        workflow_id = workflow if isinstance(workflow, str) else workflow.id
        while True:
            found = await self.store.workflow(workflow_id)
            if found.status in status:
                return found
            await by()
            await anyio.sleep(0.05)


@pytest.fixture
async def house(store: Store, proxy: Proxy, here: Account) -> House:
    del proxy  # first of all, for the account is opened where it points to
    return House(store, here, await store.save_definition(MACHINE))
