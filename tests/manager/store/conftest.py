"""Every store, behind one fixture."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from workers.manager.model import WorkflowDefinition
from workers.manager.store.choice import open_store
from workers.manager.store.interface import Store


@pytest.fixture(params=["memory", "sqlite"])
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Store]:
    url = {"memory": "sqlite://", "sqlite": f"sqlite:///{tmp_path}/manager.sqlite"}[request.param]
    async with open_store(url) as opened:
        yield opened


@pytest.fixture
async def definition(store: Store) -> WorkflowDefinition:
    """A definition that is in the store."""
    return await store.save_definition(MACHINE)


class Clock:
    """The time as leases see it."""

    def __init__(self) -> None:
        self._time = datetime(2026, 1, 1, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self._time

    def move(self, seconds: float) -> None:
        self._time += timedelta(seconds=seconds)


@pytest.fixture
def clock(store: Store, monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    room = type(store).__module__.rpartition(".")[0]
    monkeypatch.setattr(f"{room}.leases.now", clock)
    return clock


MACHINE = WorkflowDefinition(
    name="greeting",
    state_machine={"StartAt": "Greet", "States": {"Greet": {"Type": "Task", "Resource": "greet", "End": True}}},
    default_tags={"team": "blue"},
)
