"""Whose turn it is to start.

A queue with a limit has an item with the ids of those that run. Whoever lets one start writes that item anew on
condition that nobody else did meanwhile, so the limit holds although indexes are a moment behind.
"""

import json
from typing import Any

from workers.manager.model import Status
from workers.manager.store.dynamodb.database import DynamoDatabase
from workers.manager.store.dynamodb.items import Item, expressions, to_item

QUEUE = "queue"


async def its_turn(database: DynamoDatabase, queue: str) -> bool:
    """Whether a new workflow may start at once: in a queue with a limit it has to ask for its turn."""
    return await limited(database, queue) is None


async def limited(database: DynamoDatabase, queue: str) -> Item | None:
    """The item of a queue, if it has a limit."""
    item = await database.get(database.names.registry, kind=QUEUE, name=queue)
    return item if item and "limit" in item else None


async def running(database: DynamoDatabase, item: Item) -> list[str]:
    """The ids in the item of a queue that still run."""
    ids = json.loads(item["running"])
    found = await database.get_all(database.names.workflows, [{"id": workflow_id} for workflow_id in ids])
    terminal = {one["id"] for one in found if Status(one["status"]).terminal}
    known = {one["id"] for one in found}
    return [workflow_id for workflow_id in ids if workflow_id in known - terminal]


def hold(database: DynamoDatabase, item: Item, ids: list[str]) -> dict[str, Any]:
    """The part of a transaction that says which workflows of a queue run."""
    after = item | {"running": json.dumps(ids), "revision": item["revision"] + 1}
    condition = expressions({"revision": item["revision"]}, ConditionExpression="@revision = :revision")
    return {"Put": {"TableName": database.names.registry, "Item": to_item(after), **condition}}
