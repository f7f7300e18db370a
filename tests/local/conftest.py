"""What the scenarios start from."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.account import Account, unique
from tests.local.helpers import Activity, connect
from workers.local import LocalStepFunctions


@pytest.fixture
async def account(engine: LocalStepFunctions) -> AsyncIterator[Account]:
    """The engine that all tests share, as an AWS account."""
    async with connect(engine) as client:
        yield Account(client)


@pytest.fixture
def client(account: Account) -> Any:
    """A client of the engine that all tests share; it holds polls for a moment only."""
    return account.client


@pytest.fixture
async def activity(client: Any) -> Activity:
    """An activity that exists."""
    activity = Activity(client)
    await client.create_activity(name=activity.name)
    return activity


@pytest.fixture
async def patient() -> AsyncIterator[Any]:
    """A client of an engine of its own, which holds polls as long as AWS does."""
    async with LocalStepFunctions() as local, connect(local) as client:
        yield client


@pytest.fixture
async def bucket(engine: LocalStepFunctions) -> Any:
    """A bucket of its own: its name, and a client of S3."""
    async with connect(engine, "s3") as s3:
        name = unique("bucket")
        await s3.create_bucket(Bucket=name)
        yield name, s3
