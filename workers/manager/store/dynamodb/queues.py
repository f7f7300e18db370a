"""Queues and claims in DynamoDB."""

import json
from collections import Counter, defaultdict
from collections.abc import Sequence

from workers.manager.errors import NotFoundError, StoreUnavailableError
from workers.manager.model import Launch, Queue, QueueState, Workflow, now
from workers.manager.store.dynamodb.database import RefusedError
from workers.manager.store.dynamodb.items import Item, expressions, milliseconds, to_item
from workers.manager.store.dynamodb.tables import UNFINISHED
from workers.manager.store.dynamodb.turns import QUEUE, hold, limited, running
from workers.manager.store.dynamodb.workflows import DynamoWorkflows
from workers.manager.store.interface import Claim, Guard, IdempotencyKey

_TRIES = 20


class DynamoQueues(DynamoWorkflows):
    """See `QueueStore`."""

    async def save_workflow(
        self,
        workflow: Workflow,
        *,
        idempotency: IdempotencyKey | None = None,
        guard: Guard | None = None,
        claim: Claim | None = None,
    ) -> Workflow:
        """See `WorkflowStore`."""
        kept = await super().save_workflow(workflow, idempotency=idempotency, guard=guard, claim=claim)
        if claim and kept.id == workflow.id and kept.launch is Launch.WAITING:
            return await self.claim_start(kept.id, claim) or kept
        return kept

    async def save_queue(self, queue: Queue) -> None:
        """See `QueueStore`."""
        for _ in range(_TRIES):
            key = {"kind": QUEUE, "name": queue.name}
            before = await self._database.get(self._database.names.registry, **key)
            begun = [item["id"] for item in await self._open(queue.name) if item["launch"] != Launch.WAITING]
            item = before or {**key, "running": "[]", "revision": 0}
            ids = list(dict.fromkeys([*json.loads(item["running"]), *begun]))
            after = {name: value for name, value in item.items() if name != "limit"}
            after |= {"revision": item["revision"] + 1, "running": json.dumps(ids)}
            after |= {} if queue.limit is None else {"limit": queue.limit}
            condition = expressions(
                {"revision": item["revision"]},
                ConditionExpression="attribute_not_exists(@kind) OR @revision = :revision",
            )
            try:
                await self._database.call(
                    "put_item", TableName=self._database.names.registry, Item=to_item(after), **condition
                )
            except RefusedError:
                continue
            return
        raise StoreUnavailableError(f"queue {queue.name} is changed by too many at once")

    async def queues(self) -> list[QueueState]:
        """See `QueueStore`."""
        asked = expressions({"kind": QUEUE}, KeyConditionExpression="@kind = :kind")
        known = self._database.query(self._database.names.registry, ConsistentRead=True, **asked)
        limits = {item["name"]: item.get("limit") async for item in known}
        inside = Counter((item["queue"], item["launch"] == Launch.WAITING) for item in await self._open())
        names = limits.keys() | {name for name, _ in inside}
        return [
            QueueState(name=name, limit=limits.get(name), waiting=inside[name, True], running=inside[name, False])
            for name in sorted(names)
        ]

    async def delete_queue(self, name: str) -> None:
        """See `QueueStore`."""
        try:
            await self._database.call(
                "delete_item",
                TableName=self._database.names.registry,
                Key=to_item({"kind": QUEUE, "name": name}),
                **expressions(ConditionExpression="attribute_exists(@kind)"),
            )
        except RefusedError:
            raise NotFoundError(name) from None

    async def claim_starts(self, claim: Claim, *, limit: int = 100) -> Sequence[Workflow]:
        """See `QueueStore`."""
        at = milliseconds(now())
        claimed: list[Workflow] = []
        waiting: dict[str, list[Item]] = defaultdict(list)
        for item in await self._open():
            if item["launch"] == Launch.WAITING:
                waiting[item["queue"]].append(item)
            elif item["launch"] == Launch.STARTING and item.get("claimed_until", 0) < at and len(claimed) < limit:
                claimed += await self._claim([item["id"]], claim)
        for queue, items in waiting.items():
            ids = [item["id"] for item in items][: limit - len(claimed)]
            if ids:
                claimed += await self._take(queue, ids, claim)
        return claimed

    async def claim_start(self, workflow_id: str, claim: Claim) -> Workflow | None:
        """See `QueueStore`."""
        item = await self._database.get(self._workflows, id=workflow_id)
        if item is None or "unfinished" not in item or item["launch"] == Launch.STARTED:
            return None
        if item["launch"] == Launch.STARTING:
            held = item.get("claimed_until", 0) >= milliseconds(now())
            return None if held else next(iter(await self._claim([workflow_id], claim)), None)
        before = [
            one["id"]
            for one in await self._open(item["queue"])
            if one["launch"] == Launch.WAITING and one["created"] < item["created"]
        ]
        if not before or await limited(self._database, item["queue"]) is None:
            return next(iter(await self._take(item["queue"], [workflow_id], claim)), None)
        return None

    async def _take(self, queue: str, ids: list[str], claim: Claim) -> list[Workflow]:
        """Claims of these as many as the limit of the queue allows, the first ones first."""
        for _ in range(_TRIES):
            item = await limited(self._database, queue)
            if item is None:
                return await self._claim(ids, claim)
            alive = await running(self._database, item)
            # Somebody who held a place for a workflow may have died before it was claimed.
            held = [workflow_id for workflow_id in ids if workflow_id in alive]
            room = max(0, item["limit"] - len(alive))
            new = [workflow_id for workflow_id in ids if workflow_id not in alive][:room]
            try:
                if new:
                    await self._database.write(hold(self._database, item, [*alive, *new]))
            except RefusedError:
                continue
            return await self._claim([*held, *new], claim)
        return []

    async def _claim(self, ids: list[str], claim: Claim) -> list[Workflow]:
        """Those of them that nobody else has claimed meanwhile."""
        claimed = []
        for workflow_id in ids:
            item = await self._database.get(self._workflows, id=workflow_id)
            free = item and (
                item["launch"] == Launch.WAITING
                or (item["launch"] == Launch.STARTING and item.get("claimed_until", 0) < milliseconds(now()))
            )
            if not item or not free or "unfinished" not in item:
                continue
            before = await self.workflow(workflow_id)
            after = before.model_copy(update={"launch": Launch.STARTING, "revision": before.revision + 1})
            try:
                await self._replace(before.model_copy(update={"revision": item["revision"]}), after, claim)
            except RefusedError:
                continue
            claimed.append(after)
        return claimed

    async def _open(self, queue: str | None = None) -> list[Item]:
        """Workflows that have not ended, the oldest first, as the index knows them."""
        asked = expressions({"yes": "yes"}, KeyConditionExpression="@unfinished = :yes")
        items = self._database.query(self._workflows, IndexName=UNFINISHED.name, **asked)
        return [item async for item in items if queue is None or item["queue"] == queue]
