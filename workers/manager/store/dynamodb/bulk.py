"""Many workflows at once in DynamoDB: read in batches, changed side by side."""

from collections.abc import Collection, Sequence

import anyio

from workers.manager.errors import ConflictError, NotFoundError
from workers.manager.model import Change, Workflow
from workers.manager.store.dynamodb.workflows import DynamoWorkflows
from workers.payloads.together import side_by_side

_AT_ONCE = 16


class DynamoBulk(DynamoWorkflows):
    """See `BulkStore`."""

    async def many_workflows(self, ids: Collection[str]) -> list[Workflow]:
        """See `BulkStore`."""
        keys = [{"id": workflow_id} for workflow_id in dict.fromkeys(ids)]
        return await self._items.read(await self._database.get_all(self._workflows, keys))

    async def update_workflows(self, changes: Sequence[tuple[Workflow, Change]]) -> list[Workflow]:
        """See `BulkStore`."""
        done: list[Workflow] = []
        limiter = anyio.CapacityLimiter(_AT_ONCE)

        async def change_one(before: Workflow, change: Change) -> None:
            async with limiter:
                try:
                    done.append(await self.update_workflow(before.id, change, revision=before.revision))
                except (ConflictError, NotFoundError):
                    return

        async with side_by_side() as group:
            for before, change in changes:
                group.start_soon(change_one, before, change)
        return done
