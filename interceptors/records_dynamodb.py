"""Records of work in a DynamoDB table: for workers anywhere.

The table has the partition key `id`, a string. Let DynamoDB's time to live delete by the attribute `expires`.
"""

import math
from contextlib import AsyncExitStack
from typing import Any, Self

from aiobotocore.session import AioSession, get_session
from botocore.exceptions import BotoCoreError, ClientError

from interceptors.records import Record, RecordStoreError
from workers.services import service_config

_LARGEST_RESULT = 390_000  # an item has at most 400 KB, its names included (DynamoDB, service quotas)
_REFUSED = "ConditionalCheckFailedException"


class DynamoDBRecords:
    """Records in `table`. `session`: an aiobotocore session; without one the AWS SDK's own configuration decides."""

    def __init__(self, table: str, *, session: AioSession | None = None, endpoint_url: str | None = None) -> None:
        self._table = table
        self._session = session
        self._endpoint_url = endpoint_url
        self._stack = AsyncExitStack()
        self._client: Any = None

    def use_aws(self, session: AioSession, endpoint_url: str | None = None) -> None:
        """The worker's own session and endpoint, where none was given. Before entering."""
        if self._session is None:
            self._session, self._endpoint_url = session, self._endpoint_url or endpoint_url

    async def __aenter__(self) -> Self:
        session = self._session or get_session()
        client = session.create_client("dynamodb", endpoint_url=self._endpoint_url, config=service_config())
        self._client = await self._stack.enter_async_context(client)
        return self

    async def __aexit__(self, *failure: object) -> None:
        await self._stack.aclose()

    async def begin(self, key: str, owner: str, *, now: float, until: float) -> Record | None:
        """See `RecordStore`."""
        item = {"id": {"S": key}, "holder": {"S": owner}, "done": {"BOOL": False}, **_until(until)}
        refused = await self._change(
            "put_item",
            Item=item,
            ConditionExpression="attribute_not_exists(id) OR valid_until < :now",
            ExpressionAttributeValues={":now": {"N": str(now)}},
            ReturnValuesOnConditionCheckFailure="ALL_OLD",
        )
        if refused is None:
            return None
        found = refused.get("Item") or {}
        return Record(found.get("done", {}).get("BOOL", False), found.get("result", {}).get("B"))

    async def renew(self, key: str, owner: str, *, until: float) -> bool:
        """See `RecordStore`."""
        return await self._update(key, owner, "SET valid_until = :until, expires = :expires", until)

    async def finish(self, key: str, owner: str, result: bytes | None, *, until: float) -> bool:
        """See `RecordStore`. A result that no item can hold is left out."""
        change, values = "SET done = :done, valid_until = :until, expires = :expires", {":done": {"BOOL": True}}
        if result is not None and len(result) <= _LARGEST_RESULT:
            change, values = f"{change}, #result = :result", {**values, ":result": {"B": result}}  # type: ignore[dict-item]
            return await self._update(key, owner, change, until, values, {"#result": "result"})
        return await self._update(key, owner, change, until, values)

    async def release(self, key: str, owner: str) -> None:
        """See `RecordStore`."""
        await self._change(
            "delete_item",
            Key={"id": {"S": key}},
            ConditionExpression="holder = :holder AND done = :done",
            ExpressionAttributeValues={":holder": {"S": owner}, ":done": {"BOOL": False}},
        )

    async def _update(
        self,
        key: str,
        owner: str,
        change: str,
        until: float,
        values: dict[str, Any] | None = None,
        names: dict[str, str] | None = None,
    ) -> bool:
        times = _until(until)
        refused = await self._change(
            "update_item",
            Key={"id": {"S": key}},
            UpdateExpression=change,
            ConditionExpression="holder = :holder",
            ExpressionAttributeValues={
                ":holder": {"S": owner},
                ":until": times["valid_until"],
                ":expires": times["expires"],
                **(values or {}),
            },
            **({"ExpressionAttributeNames": names} if names else {}),
        )
        return refused is None

    async def _change(self, operation: str, **parameters: Any) -> dict[str, Any] | None:
        """None, or the answer of DynamoDB when the condition did not hold."""
        try:
            await getattr(self._client, operation)(TableName=self._table, **parameters)
        except ClientError as error:
            answer: dict[str, Any] = {**error.response}
            if answer.get("Error", {}).get("Code") == _REFUSED:
                return answer
            raise RecordStoreError(f"records in table {self._table}: {error}") from error
        except (BotoCoreError, OSError, TimeoutError) as error:
            raise RecordStoreError(f"records in table {self._table}: {error}") from error
        return None


def _until(until: float) -> dict[str, dict[str, str]]:
    """Until when a record counts, and from when DynamoDB may delete it: its time to live wants whole seconds."""
    return {"valid_until": {"N": str(until)}, "expires": {"N": str(math.ceil(until))}}
