"""DynamoDB on the engine: a condition and the write that it guards are one step."""

import asyncio
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from tests.account import unique
from tests.local.helpers import connect
from workers.local import LocalStepFunctions

ROUNDS, WRITERS = 5, 40


@pytest.fixture
def hasty_threads() -> Iterator[None]:
    """Lets threads take turns so often that they meet between a condition and its write."""
    usual = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    yield
    sys.setswitchinterval(usual)


async def won(dynamodb: Any, table: str, key: str, writer: int) -> bool:
    try:
        await dynamodb.put_item(
            TableName=table,
            Item={"id": {"S": key}, "by": {"N": str(writer)}},
            ConditionExpression="attribute_not_exists(id)",
        )
    except dynamodb.exceptions.ConditionalCheckFailedException:
        return False
    return True


@pytest.mark.usefixtures("hasty_threads")
async def test_of_many_writers_one_wins(engine: LocalStepFunctions):
    async with connect(engine, "dynamodb") as dynamodb:
        table = unique("table")
        await dynamodb.create_table(
            TableName=table,
            AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
            KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
            BillingMode="PAY_PER_REQUEST",
        )
        for number in range(ROUNDS):
            results = await asyncio.gather(*(won(dynamodb, table, str(number), writer) for writer in range(WRITERS)))
            assert results.count(True) == 1
            kept = await dynamodb.get_item(TableName=table, Key={"id": {"S": str(number)}})
            assert kept["Item"]["by"]["N"] == str(results.index(True))
