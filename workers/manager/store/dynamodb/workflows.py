"""Workflows in DynamoDB: kept, changed, deleted.

A change reads the item, and writes it whole on condition that its revision is still the same; else it begins again.
"""

from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Any

import anyio

from workers.backoff import Backoff
from workers.manager.errors import (
    ConflictError,
    NotFoundError,
    RevisionError,
    StoreUnavailableError,
)
from workers.manager.model import Change, Count, Launch, Workflow
from workers.manager.store.dynamodb.counting import count, counted, state_of
from workers.manager.store.dynamodb.database import DynamoDatabase, RefusedError
from workers.manager.store.dynamodb.items import Item, expressions, to_item
from workers.manager.store.dynamodb.requests import keeping, kept_with, used
from workers.manager.store.dynamodb.tables import BY_ORIGINAL, BY_STOPPED, UNFINISHED
from workers.manager.store.dynamodb.turns import its_turn
from workers.manager.store.dynamodb.workflow_items import WorkflowItems, month_of, ordered, unfinished
from workers.manager.store.interface import Claim, Guard, IdempotencyKey, Unfinished
from workers.manager.store.order import allowed
from workers.manager.store.stamps import Stamps

_TRIES = 50
_MONTHS = 36
"""How far back old workflows are looked for."""


class DynamoWorkflows:
    """See `WorkflowStore`."""

    _database: DynamoDatabase
    _items: WorkflowItems
    _stamps: Stamps

    async def save_workflow(
        self,
        workflow: Workflow,
        *,
        idempotency: IdempotencyKey | None = None,
        guard: Guard | None = None,
        claim: Claim | None = None,
    ) -> Workflow:
        """See `WorkflowStore`."""
        before = await self._before(idempotency) if idempotency else None
        if before and (known := await self._found(before)):
            return known
        at = self._stamps.next()
        fields: dict[str, Any] = {"created_at": at, "last_updated": at, "revision": 1}
        if workflow.launch is not Launch.STARTED:
            claimed = claim is not None and await its_turn(self._database, workflow.queue)
            fields["launch"] = Launch.STARTING if claimed else Launch.WAITING
        kept = workflow.model_copy(update=fields)
        item = await self._items.write(kept, claim if kept.launch is Launch.STARTING else None)
        parts = [
            self._put(item, None),
            self._defined(kept),
            count(self._database, state_of(kept), 1),
            *([self._pass(guard)] if guard else []),
            *([keeping(self._database, idempotency, kept.id, before)] if idempotency else []),
        ]
        try:
            await self._database.write(*parts)
        except RefusedError as error:
            if idempotency and error.at == (len(parts) - 1,):  # another one was faster: it is there now
                return await self.save_workflow(workflow, idempotency=idempotency, guard=guard, claim=claim)
            raise _refusal(kept, guard, error) from None
        return await self.workflow(kept.id)

    async def workflow(self, workflow_id: str) -> Workflow:
        """See `WorkflowStore`."""
        if found := await self._found(workflow_id):
            return found
        raise NotFoundError(workflow_id)

    async def update_workflow(self, workflow_id: str, change: Change, *, revision: int | None = None) -> Workflow:
        """See `WorkflowStore`."""
        backoff = Backoff(initial=0.01, maximum=0.5)
        for _ in range(_TRIES):
            before = await self.workflow(workflow_id)
            given = allowed(
                workflow_id, change, status=before.status, redrive_count=before.redrive_count,
                present=before.revision, revision=revision,
            )  # fmt: skip
            given["last_updated"] = given.get("last_updated") or self._stamps.next()
            if given.get("resolved_by_user") is None:
                given.pop("resolved_by_user", None)
            after = before.model_copy(update=given | {"revision": before.revision + 1})
            try:
                await self._replace(before, after)
            except RefusedError:
                await anyio.sleep(backoff.next())
                continue
            return await self.workflow(workflow_id)
        raise StoreUnavailableError(f"workflow {workflow_id} is changed by too many at once")

    async def delete_workflow(self, workflow_id: str) -> None:
        """See `WorkflowStore`."""
        await self._delete(await self.workflow(workflow_id))

    async def delete_finished(self, before: datetime, *, limit: int = 1_000) -> int:
        """See `WorkflowStore`. Looks three years back from then."""
        deleted = 0
        for month in months_before(before, _MONTHS):
            asked = expressions(
                {"month": month, "end": ordered(before)},
                KeyConditionExpression="@stopped_month = :month AND @stopped < :end",
            )
            async for item in self._database.query(self._workflows, IndexName=BY_STOPPED.name, **asked):
                if deleted >= limit:
                    return deleted
                known = await self._found(item["id"])
                if known and known.status.terminal and known.stopped_at and known.stopped_at < before:
                    await self._delete(known)
                    deleted += 1
        return deleted

    async def unfinished(self, *launch: Launch) -> AsyncIterator[Unfinished]:
        """See `WorkflowStore`."""
        asked = expressions({"yes": "yes"}, KeyConditionExpression="@unfinished = :yes")
        async for item in self._database.query(self._workflows, IndexName=UNFINISHED.name, **asked):
            if not launch or item["launch"] in launch:
                yield unfinished(item)

    async def counts(self) -> list[Count]:
        """See `WorkflowStore`."""
        return await counted(self._database)

    @property
    def _workflows(self) -> str:
        return self._database.names.workflows

    async def _found(self, workflow_id: str) -> Workflow | None:
        item = await self._database.get(self._workflows, id=workflow_id)
        if item is None:
            return None
        (found,) = await self._items.read([item])
        retries = await retries_of(self._database, workflow_id)
        return found.model_copy(update={"retries": retries}) if retries else found

    async def _replace(self, before: Workflow, after: Workflow, claim: Claim | None = None) -> None:
        """Writes a workflow in place of what it was. Raises `RefusedError` where that has changed."""
        parts = [self._put(await self._items.write(after, claim), before.revision)]
        if state_of(before) != state_of(after):
            parts += [count(self._database, state_of(before), -1), count(self._database, state_of(after), 1)]
        await self._database.write(*parts)

    async def _delete(self, known: Workflow) -> None:
        delete = {"TableName": self._workflows, "Key": to_item({"id": known.id}),
                  **expressions(ConditionExpression="attribute_exists(@id)")}  # fmt: skip
        try:
            await self._database.write({"Delete": delete}, count(self._database, state_of(known), -1))
        except RefusedError:
            raise NotFoundError(known.id) from None

    def _put(self, item: Item, revision: int | None) -> dict[str, Any]:
        condition = (
            expressions(ConditionExpression="attribute_not_exists(@id)")
            if revision is None
            else expressions({"revision": revision}, ConditionExpression="@revision = :revision")
        )
        return {"Put": {"TableName": self._workflows, "Item": to_item(item), **condition}}

    def _defined(self, kept: Workflow) -> dict[str, Any]:
        about = kept.workflow_definition
        key = to_item({"name": about.name, "version": about.version})
        table = self._database.names.definitions
        exists = expressions(ConditionExpression="attribute_exists(@name)")
        return {"ConditionCheck": {"TableName": table, "Key": key, **exists}}

    def _pass(self, guard: Guard) -> dict[str, Any]:
        change = expressions(
            {"before": guard.revision, "after": guard.revision + 1},
            UpdateExpression="SET @revision = :after",
            ConditionExpression="@revision = :before",
        )
        return {"Update": {"TableName": self._workflows, "Key": to_item({"id": guard.workflow_id}), **change}}

    async def _before(self, idempotency: IdempotencyKey) -> str | None:
        """The id of the workflow that the key made. Raises `IdempotencyError`."""
        item = await kept_with(self._database, idempotency)
        if item is None:
            return None
        if item["fingerprint"] != idempotency.fingerprint and await self._found(item["workflow_id"]):
            raise used(idempotency)
        return str(item["workflow_id"])


async def retries_of(database: DynamoDatabase, workflow_id: str) -> tuple[str, ...]:
    """The workflows that resumed another one, the oldest first."""
    asked = expressions({"original": workflow_id}, KeyConditionExpression="@retry_for = :original")
    found = database.query(database.names.workflows, IndexName=BY_ORIGINAL.name, **asked)
    return tuple([item["id"] async for item in found])


def months_before(time: datetime, number: int) -> list[str]:
    """The month of a time, and those before it."""
    months = []
    for _ in range(number):
        months.append(month_of(time))
        time = time.replace(day=1) - timedelta(days=1)
    return months


def _refusal(kept: Workflow, guard: Guard | None, error: RefusedError) -> Exception:
    about = kept.workflow_definition
    if 0 in error.at:
        return ConflictError(f"a workflow {kept.id} exists already")
    if 1 in error.at:
        return NotFoundError(f"{about.name}@{about.version}")
    return RevisionError(f"workflow {guard and guard.workflow_id} has changed since it was read: read it again")
