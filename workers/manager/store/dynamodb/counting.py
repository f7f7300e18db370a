"""How many workflows of each version of a definition are in each state: counters in the registry.

Each has several shards, so that transactions that count the same seldom meet.
"""

import json
import random
from collections import Counter
from typing import Any

from workers.manager.model import Count, Status, Workflow
from workers.manager.store.dynamodb.database import DynamoDatabase
from workers.manager.store.dynamodb.items import expressions, to_item

_COUNT = "count"
_SHARDS = 16

State = tuple[str, int, str, bool]


def state_of(workflow: Workflow) -> State:
    """What a workflow is counted by."""
    about = workflow.workflow_definition
    return about.name, about.version, workflow.status.value, workflow.resolved_by_user


def count(database: DynamoDatabase, state: State, change: int) -> dict[str, Any]:
    """The part of a transaction that counts so many more."""
    shard = random.randrange(_SHARDS)  # noqa: S311 - to spread them
    return {
        "Update": {
            "TableName": database.names.registry,
            "Key": to_item({"kind": _COUNT, "name": json.dumps([*state, shard])}),
            **expressions({"change": change}, UpdateExpression="ADD @number :change"),
        }
    }


async def counted(database: DynamoDatabase) -> list[Count]:
    """All counts that are not 0."""
    found: Counter[State] = Counter()
    asked = expressions({"kind": _COUNT}, KeyConditionExpression="@kind = :kind")
    async for item in database.query(database.names.registry, **asked):
        name, version, status, resolved, _ = json.loads(item["name"])
        found[name, version, status, resolved] += item["number"]
    return [
        Count(
            workflow_definition_name=name,
            version=version,
            status=Status(status),
            resolved_by_user=resolved,
            count=number,
        )
        for (name, version, status, resolved), number in found.items()
        if number
    ]
