"""Workflows of some last time, counted by definition, status and step, from the index of each definition."""

from collections import Counter
from datetime import datetime, timedelta

from workers.manager.model import Status
from workers.manager.store.dynamodb.counting import counted
from workers.manager.store.dynamodb.database import DynamoDatabase
from workers.manager.store.dynamodb.items import expressions, milliseconds
from workers.manager.store.dynamodb.tables import BY_DEFINITION
from workers.manager.store.dynamodb.workflow_items import ordered
from workers.manager.store.interface import Tally


class DynamoTallies:
    """See `WorkflowStore`."""

    _database: DynamoDatabase

    async def tallies(self, since: datetime, step: timedelta) -> list[Tally]:
        """See `WorkflowStore`."""
        first, width = milliseconds(since), step // timedelta(milliseconds=1)
        found: Counter[tuple[str, str, int]] = Counter()
        for name in sorted({count.workflow_definition_name for count in await counted(self._database)}):
            asked = expressions(
                {"name": name, "since": ordered(first)},
                KeyConditionExpression="@definition = :name AND @created >= :since",
                ProjectionExpression="@status, @created_at",
            )
            table = self._database.names.workflows
            async for item in self._database.query(table, IndexName=BY_DEFINITION.name, **asked):
                found[name, item["status"], (item["created_at"] - first) // width] += 1
        return [
            Tally(workflow_definition_name=name, status=Status(status), since=since + number * step, count=count)
            for (name, status, number), count in found.items()
        ]
