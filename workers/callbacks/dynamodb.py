"""Tokens in a DynamoDB table: for processes anywhere.

The table has the partition key `key`, a string, and a sparse index of what is still to be delivered. DynamoDB deletes
by the attribute `expires`.
"""

import math
import time
from contextlib import AsyncExitStack, suppress
from typing import Any, Self

from botocore.exceptions import BotoCoreError, ClientError

from workers.callbacks.errors import CallbackStoreError
from workers.callbacks.store import Stored
from workers.services import service_config
from workers.stepfunctions.connection import Connection

_REFUSED = "ConditionalCheckFailedException"
_EXISTS = "ResourceInUseException"
_PENDING = "pending"
_TTL = {"Enabled": True, "AttributeName": "expires"}


class DynamoDBTokens:
    """Tokens in `table`."""

    def __init__(self, table: str, connection: Connection) -> None:
        self._table = table
        self._connection = connection
        self._stack = AsyncExitStack()
        self._client: Any = None

    async def __aenter__(self) -> Self:
        self._client = await self._stack.enter_async_context(self._connection.client("dynamodb", service_config()))
        return self

    async def __aexit__(self, *failure: object) -> None:
        await self._stack.aclose()

    async def create(self) -> None:
        """See `TokenStore`. Pays per request; deletes what has expired."""
        names = ("key", _PENDING, "since")
        with suppress(FileExistsError):
            await self._call(
                "create_table",
                BillingMode="PAY_PER_REQUEST",
                AttributeDefinitions=[
                    {"AttributeName": name, "AttributeType": "N" if name == "since" else "S"} for name in names
                ],
                KeySchema=[{"AttributeName": "key", "KeyType": "HASH"}],
                GlobalSecondaryIndexes=[
                    {
                        "IndexName": _PENDING,
                        "KeySchema": [
                            {"AttributeName": _PENDING, "KeyType": "HASH"},
                            {"AttributeName": "since", "KeyType": "RANGE"},
                        ],
                        "Projection": {"ProjectionType": "KEYS_ONLY"},
                    }
                ],
            )
        await self._client.get_waiter("table_exists").wait(TableName=self._table)
        found = await self._call("describe_time_to_live")
        if found["TimeToLiveDescription"]["TimeToLiveStatus"] not in {"ENABLED", "ENABLING"}:
            await self._call("update_time_to_live", TimeToLiveSpecification=_TTL)

    async def load(self, key: str) -> Stored | None:
        """See `TokenStore`."""
        found = (await self._call("get_item", Key={"key": {"S": key}}, ConsistentRead=True)).get("Item")
        if not found:
            return None
        return Stored(found["text"]["S"], int(found["version"]["N"]), float(found["expires"]["N"]))

    async def save(self, key: str, text: str, *, version: int, expires: float, pending: bool) -> bool:
        """See `TokenStore`."""
        item: dict[str, Any] = {
            "key": {"S": key},
            "text": {"S": text},
            "version": {"N": str(version + 1)},
            "expires": {"N": str(math.ceil(expires))},
        }
        if pending:
            item |= {_PENDING: {"S": "1"}, "since": {"N": str(time.time())}}
        condition: dict[str, Any] = {"ConditionExpression": "attribute_not_exists(#version)"}
        if version:
            condition = {
                "ConditionExpression": "#version = :version",
                "ExpressionAttributeValues": {":version": {"N": str(version)}},
            }
        condition["ExpressionAttributeNames"] = {"#version": "version"}
        try:
            await self._call("put_item", Item=item, **condition)
        except FileExistsError:
            return False
        return True

    async def pending(self, *, before: float, limit: int) -> list[str]:
        """See `TokenStore`."""
        found = await self._call(
            "query",
            IndexName=_PENDING,
            KeyConditionExpression="#pending = :one AND #since < :before",
            ExpressionAttributeNames={"#pending": _PENDING, "#since": "since"},
            ExpressionAttributeValues={":one": {"S": "1"}, ":before": {"N": str(before)}},
            Limit=limit,
        )
        return [item["key"]["S"] for item in found["Items"]]

    async def _call(self, operation: str, **parameters: Any) -> dict[str, Any]:
        """The answer. Raises `FileExistsError` where there is something already, else `CallbackStoreError`."""
        try:
            answer: dict[str, Any] = await getattr(self._client, operation)(TableName=self._table, **parameters)
        except ClientError as error:
            if error.response["Error"]["Code"] in {_REFUSED, _EXISTS}:
                raise FileExistsError from error
            raise CallbackStoreError(f"callbacks in table {self._table}: {error}") from error
        except (BotoCoreError, OSError, TimeoutError) as error:
            raise CallbackStoreError(f"callbacks in table {self._table}: {error}") from error
        return answer
