"""What only the store in DynamoDB has to do with: the size of items, tables that are there already."""

import boto3
import pytest

from tests.account import unique
from tests.manager.store.conftest import MACHINE, amazon
from tests.manager.store.workflows import saved
from workers.errors import UsageError
from workers.local import LocalStepFunctions
from workers.manager.errors import StoreUnavailableError, TooLargeError
from workers.manager.model import Change, Status
from workers.manager.store.choice import open_store
from workers.stepfunctions.connection import Connection


async def test_what_no_item_holds_is_refused_without_a_payload_store(engine: LocalStepFunctions):
    async with open_store(f"dynamodb://{unique('manager')}", connection=amazon(engine)) as store:
        kept = await saved(store, await store.save_definition(MACHINE))
        with pytest.raises(TooLargeError, match="payload store"):
            await store.update_workflow(kept.id, Change(status=Status.SUCCEEDED, output="x" * 400_000))
        assert await store.workflow(kept.id) == kept
        huge = {**(MACHINE.state_machine or {}), "Comment": "x" * 400_000}
        with pytest.raises(TooLargeError, match="greeting"):
            await store.update_definition(MACHINE.model_copy(update={"state_machine": huge}))
        assert (await store.definition("greeting")).version == 0


async def test_another_process_finds_the_tables_and_what_is_in_them(engine: LocalStepFunctions):
    prefix = unique("manager")
    url = f"dynamodb://{prefix}"
    async with open_store(url, connection=amazon(engine)) as store:
        kept = await store.save_definition(MACHINE)
    async with open_store(url, connection=amazon(engine)) as store:
        assert await store.definitions() == [kept]
    client = boto3.client(
        "dynamodb",
        endpoint_url=engine.url,
        region_name="us-east-1",
        aws_access_key_id="local",
        aws_secret_access_key="local",
    )
    ttl = client.describe_time_to_live(TableName=f"{prefix}-registry")["TimeToLiveDescription"]
    assert (ttl["TimeToLiveStatus"], ttl["AttributeName"]) == ("ENABLED", "expires")
    client.close()


async def test_a_database_that_cannot_be_reached_is_said_to_be(engine: LocalStepFunctions):
    away = Connection(amazon(engine).session, "http://127.0.0.1:9")
    with pytest.raises(StoreUnavailableError, match="DynamoDB"):
        async with open_store("dynamodb://manager", connection=away):
            pass


def test_a_prefix_is_needed_and_a_connection():
    for url in ("dynamodb://", "dynamodb://a/b"):
        with pytest.raises(UsageError, match="prefix"):
            open_store(url)
    with pytest.raises(UsageError, match="connection"):
        open_store("dynamodb://manager")
