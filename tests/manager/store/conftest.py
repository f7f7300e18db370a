"""Every store, behind one fixture."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from aiobotocore.session import get_session

from tests.account import unique
from workers.local import LocalStepFunctions
from workers.manager.model import WorkflowDefinition
from workers.manager.store.choice import open_store
from workers.manager.store.interface import Store
from workers.payloads.payloads import Payloads
from workers.stepfunctions.connection import Connection


@pytest.fixture(params=["memory", "sqlite", "postgresql", "dynamodb"])
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Store]:
    if request.param == "dynamodb":
        engine = request.getfixturevalue("engine")
        async with (
            Payloads(f"file://{tmp_path}/payloads") as payloads,
            open_store(f"dynamodb://{unique('manager')}", connection=amazon(engine), payloads=payloads) as opened,
        ):
            yield opened
        return
    url = database(request, request.param, tmp_path)
    async with open_store(url) as opened:
        yield opened


def database(request: pytest.FixtureRequest, kind: str, folder: Path) -> str:
    """The URL of a SQL database of that kind."""
    if kind == "postgresql":
        url: str = request.getfixturevalue("postgresql_url")
        return url
    return {"memory": "sqlite://", "sqlite": f"sqlite:///{folder}/manager.sqlite"}[kind]


def amazon(engine: LocalStepFunctions) -> Connection:
    """The DynamoDB beside the embedded Step Functions."""
    return Connection(_SESSION, engine.url)


_SESSION = get_session()
_SESSION.set_credentials("local", "local")
_SESSION.set_config_variable("region", "us-east-1")


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
