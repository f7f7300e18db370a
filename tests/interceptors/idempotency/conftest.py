"""Records of work: a SQLite file, and a table of DynamoDB over HTTP."""

from collections.abc import AsyncIterator
from pathlib import Path
from uuid import uuid4

import boto3
import pytest
from aiobotocore.session import get_session

from interceptors import Idempotent
from interceptors.records import RecordStore
from interceptors.records_dynamodb import DynamoDBRecords
from interceptors.records_sqlite import SqliteRecords
from workers.local import LocalStepFunctions

SESSION = get_session()
SESSION.set_credentials("test", "test")
SESSION.set_config_variable("region", "us-east-1")


@pytest.fixture
def table(engine: LocalStepFunctions) -> str:
    name = f"work-{uuid4().hex}"
    client = boto3.client(
        "dynamodb",
        endpoint_url=engine.url,
        aws_access_key_id="test",
        aws_secret_access_key="test",
        region_name="us-east-1",
    )
    client.create_table(
        TableName=name,
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    client.close()
    return name


@pytest.fixture(params=["sqlite", "dynamodb"])
def records(request: pytest.FixtureRequest, tmp_path: Path) -> RecordStore:
    if request.param == "sqlite":
        return SqliteRecords(tmp_path / "work.sqlite")
    engine, table = request.getfixturevalue("engine"), request.getfixturevalue("table")
    return DynamoDBRecords(table, session=SESSION, endpoint_url=engine.url)


@pytest.fixture
async def once(records: RecordStore) -> AsyncIterator[Idempotent]:
    async with Idempotent(records) as once:
        yield once


@pytest.fixture
def renewals(records: RecordStore, monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """When leases were renewed."""
    found: list[float] = []
    renew = records.renew

    async def noted(key: str, owner: str, *, until: float) -> bool:
        renewed = await renew(key, owner, until=until)
        found.append(until)
        return renewed

    monkeypatch.setattr(records, "renew", noted)
    return found
