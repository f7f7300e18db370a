"""Requests that their callers have named, in DynamoDB."""

from math import ceil
from typing import Any

from workers.manager.errors import IdempotencyError
from workers.manager.model import now
from workers.manager.store.dynamodb.database import DynamoDatabase, RefusedError
from workers.manager.store.dynamodb.items import Item, expressions, milliseconds, to_item
from workers.manager.store.interface import IdempotencyKey

_KEY = "key"


class DynamoRequests:
    """See `RequestStore`."""

    _database: DynamoDatabase

    async def name_request(self, key: IdempotencyKey, result: str) -> str | None:
        """See `RequestStore`."""
        while (item := await kept_with(self._database, key)) is None:
            try:
                await self._database.write(keeping(self._database, key, result))
            except RefusedError:  # another one was faster: it is there now
                continue
            return None
        if item["fingerprint"] != key.fingerprint:
            raise used(key)
        return str(item["workflow_id"])


async def kept_with(database: DynamoDatabase, key: IdempotencyKey) -> Item | None:
    """What is kept of a key that has not expired."""
    item = await database.get(database.names.registry, kind=_KEY, name=key.key)
    return None if item is None or item["until"] < milliseconds(now()) else item


def keeping(database: DynamoDatabase, key: IdempotencyKey, result: str, before: str | None = None) -> dict[str, Any]:
    """Keeps what a request is to bring about, unless the key is kept with something else than `before`."""
    item = {
        "kind": _KEY, "name": key.key, "fingerprint": key.fingerprint, "workflow_id": result,
        "until": milliseconds(key.expires), "expires": ceil(key.expires.timestamp()),
    }  # fmt: skip
    condition = expressions(
        {"now": milliseconds(now()), "before": before or ""},
        ConditionExpression="attribute_not_exists(@kind) OR @until < :now OR @workflow_id = :before",
    )
    return {"Put": {"TableName": database.names.registry, "Item": to_item(item), **condition}}


def used(key: IdempotencyKey) -> IdempotencyError:
    """The key was used before, for another request."""
    return IdempotencyError(f"idempotency key {key.name!r} was used for another request: choose a new one")
