"""An embedded manager on the engine, in an environment of its own."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

import anyio
import pytest

from tests.account import unique
from workers import Settings
from workers.embedded import EmbeddedManager
from workers.local import LocalStepFunctions
from workers.manager.model import Workflow
from workers.manager.requests import NewWorkflowDefinition

Managers = Callable[..., AbstractAsyncContextManager[EmbeddedManager]]


def definition(name: str = "hello", *, version: int | None = 1, **machine: Any) -> NewWorkflowDefinition:
    """A definition of one task on the function `echo`, or of another machine."""
    states = {"Work": {"type": "task", "resource": "echo", "end": True}}
    whole = {"start_at": "Work", "states": states} | machine
    return NewWorkflowDefinition(name=name, version=version, state_machine=whole)


def of_state(**state: Any) -> NewWorkflowDefinition:
    """A definition of one state."""
    return definition(states={"Work": state})


def echo(event: Any, /) -> Any:
    return event


@pytest.fixture
def settings(engine: LocalStepFunctions) -> Settings:
    return Settings(local=True, local_port=engine.port)


@pytest.fixture
def managers(settings: Settings) -> Managers:
    """`async with managers(FUNCTIONS, **options) as manager`; it works, unless `work=False`."""

    @asynccontextmanager
    async def open_manager(
        functions: Any = None, *, work: bool = True, **options: Any
    ) -> AsyncIterator[EmbeddedManager]:
        given = {"definitions": [definition()], "settings": settings, "environment": unique("env"), **options}
        manager = EmbeddedManager(given.pop("environment"), "app", functions or {"echo": echo}, **given)
        async with manager:
            if not work:
                yield manager
                return
            async with manager.working():
                yield manager

    return open_manager


async def ended(manager: EmbeddedManager, workflow_id: str, *, history: bool = False) -> Workflow:
    """The workflow, once it has ended."""
    async with asyncio.timeout(30):
        while True:
            workflow = await manager.workflow(workflow_id, history=history)
            if workflow.status.terminal:
                return workflow
            await anyio.sleep(0.02)
