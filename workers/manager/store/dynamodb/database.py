"""Calls of DynamoDB: made, repeated, and their refusals told apart."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack
from typing import Any

import anyio
from botocore.exceptions import BotoCoreError, ClientError

from workers.backoff import Backoff
from workers.manager.errors import StoreDeniedError, StoreUnavailableError
from workers.manager.store.dynamodb.items import Item, from_item, to_item
from workers.manager.store.dynamodb.tables import Names
from workers.services import service_config
from workers.stepfunctions.connection import Connection

_TRIES = 12
"""How often a transaction is repeated that met another one."""
_BATCH = 100


class RefusedError(Exception):
    """A condition did not hold. `at`: the places in the transaction whose conditions did not."""

    def __init__(self, at: Sequence[int]) -> None:
        super().__init__(f"conditions {list(at)} do not hold")
        self.at = tuple(at)


class DynamoDatabase:
    """The tables of one prefix."""

    def __init__(self, names: Names, connection: Connection) -> None:
        self.names = names
        self._connection = connection
        self._stack = AsyncExitStack()
        self._client: Any = None

    async def open(self) -> None:
        """Makes the tables that are missing, and waits until they can be used. Raises `StoreUnavailableError`."""
        self._client = await self._stack.enter_async_context(self._connection.client("dynamodb", service_config()))
        try:
            for schema in self.names.schemas():
                await self._make(schema)
        except BaseException:
            await self.close()
            raise

    async def close(self) -> None:
        """Closes all connections."""
        await self._stack.aclose()

    async def call(self, operation: str, **parameters: Any) -> dict[str, Any]:
        """The answer to a call. Raises `RefusedError` and `StoreUnavailableError`."""
        try:
            answer: dict[str, Any] = await getattr(self._client, operation)(**parameters)
        except ClientError as error:
            code = error.response.get("Error", {}).get("Code", "")
            if code == "ConditionalCheckFailedException":
                raise RefusedError([0]) from None
            raise _unavailable(error) from error
        except (BotoCoreError, OSError, TimeoutError) as error:
            raise StoreUnavailableError(f"DynamoDB does not answer: {error}") from error
        return answer

    async def get(self, table: str, **key: Any) -> Item | None:
        """An item as it is now."""
        answer = await self.call("get_item", TableName=table, Key=to_item(key), ConsistentRead=True)
        return from_item(answer["Item"]) if "Item" in answer else None

    async def get_all(self, table: str, keys: Sequence[Mapping[str, Any]]) -> list[Item]:
        """Items as they are now, in no order; those that are missing are left out."""
        found: list[Item] = []
        for first in range(0, len(keys), _BATCH):
            asked: Any = {
                table: {"Keys": [to_item(key) for key in keys[first : first + _BATCH]], "ConsistentRead": True}
            }
            while asked:
                answer = await self.call("batch_get_item", RequestItems=asked)
                found += map(from_item, answer["Responses"].get(table, ()))
                asked = answer.get("UnprocessedKeys")
        return found

    async def query(self, table: str, **parameters: Any) -> AsyncIterator[Item]:
        """The items of a Query, over all pages."""
        start: dict[str, Any] = {}
        while True:
            answer = await self.call("query", TableName=table, **parameters, **start)
            for item in answer["Items"]:
                yield from_item(item)
            if "LastEvaluatedKey" not in answer:
                return
            start = {"ExclusiveStartKey": answer["LastEvaluatedKey"]}

    async def write(self, *changes: Mapping[str, Any]) -> None:
        """Writes all changes, or none: parts of a TransactWriteItems. Raises `RefusedError`."""
        backoff = Backoff(initial=0.02, maximum=1.0)
        for _ in range(_TRIES):
            try:
                await self._client.transact_write_items(TransactItems=list(changes))
                return
            except ClientError as error:
                if error.response.get("Error", {}).get("Code") != "TransactionCanceledException":
                    raise _unavailable(error) from error
                codes = [reason.get("Code") for reason in error.response.get("CancellationReasons", ())]
                if failed := [at for at, code in enumerate(codes) if code == "ConditionalCheckFailed"]:
                    raise RefusedError(failed) from None
                if "TransactionConflict" not in codes and "ThrottlingError" not in codes:
                    raise _unavailable(error) from error
            except (BotoCoreError, OSError, TimeoutError) as error:
                raise StoreUnavailableError(f"DynamoDB does not answer: {error}") from error
            await anyio.sleep(backoff.next())
        raise StoreUnavailableError("DynamoDB: too many write the same at once")

    async def _make(self, schema: dict[str, Any]) -> None:
        table = schema["TableName"]
        try:
            await self._client.create_table(**schema)
        except ClientError as error:
            if error.response.get("Error", {}).get("Code") != "ResourceInUseException":
                raise _unavailable(error) from error
        except (BotoCoreError, OSError, TimeoutError) as error:
            raise StoreUnavailableError(f"DynamoDB does not answer: {error}") from error
        while (await self.call("describe_table", TableName=table))["Table"]["TableStatus"] != "ACTIVE":  # noqa: ASYNC110
            await anyio.sleep(0.5)
        if table != self.names.registry:
            return
        answer = await self.call("describe_time_to_live", TableName=table)
        if answer["TimeToLiveDescription"].get("TimeToLiveStatus") in {None, "DISABLED"}:
            wish = {"Enabled": True, "AttributeName": "expires"}
            await self.call("update_time_to_live", TableName=table, TimeToLiveSpecification=wish)


def _unavailable(error: ClientError) -> StoreUnavailableError:
    """What DynamoDB answered: it names the operation, and the table where a right is missing."""
    denied = error.response.get("Error", {}).get("Code") == "AccessDeniedException"
    return (StoreDeniedError if denied else StoreUnavailableError)(f"DynamoDB: {error}")
