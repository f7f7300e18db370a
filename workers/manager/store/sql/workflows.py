"""Workflows in SQL: kept, changed, deleted."""

from collections import Counter
from collections.abc import AsyncIterator
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, bindparam, delete, exists, select, tuple_, update
from sqlalchemy.ext.asyncio import AsyncConnection

from workers.manager.errors import ConflictError, NotFoundError, RevisionError
from workers.manager.model import Change, Count, Launch, Workflow, WorkflowDefinition, now
from workers.manager.store.interface import Claim, Guard, IdempotencyKey, Unfinished
from workers.manager.store.order import allowed
from workers.manager.store.sql import rows
from workers.manager.store.sql.adding import add
from workers.manager.store.sql.changing import changed, write
from workers.manager.store.sql.counting import STATE, State, count_all, counted
from workers.manager.store.sql.database import Database
from workers.manager.store.sql.reading import one
from workers.manager.store.sql.requests import named_before
from workers.manager.store.sql.tables import (
    TERMINAL,
    UNFINISHED,
    definitions,
    details,
    idempotency_keys,
    queues,
    workflows,
)
from workers.manager.store.sql.turns import its_turn
from workers.manager.store.stamps import Stamps

_BATCH = 500


class SqlWorkflows:
    """See `WorkflowStore`."""

    _database: Database
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
        async with self._database.write() as connection:
            if idempotency and (before := await named_before(connection, idempotency, workflow.id, of_workflow=True)):
                return await one(connection, before)
            if guard:
                await _pass(connection, guard)
            about, limited = await _known(connection, workflow)
            at = self._stamps.next()
            kept = workflow.model_copy(
                update={"workflow_definition": about, "created_at": at, "last_updated": at, "revision": 1}
            )
            if kept.launch is not Launch.STARTED:
                claimed = claim is not None and (not limited or await its_turn(connection, kept.queue))
                kept = kept.model_copy(update={"launch": Launch.STARTING if claimed else Launch.WAITING})
            await add(connection, kept, claim if kept.launch is Launch.STARTING else None)
            return kept

    async def workflow(self, workflow_id: str) -> Workflow:
        """See `WorkflowStore`."""
        async with self._database.read() as connection:
            return await one(connection, workflow_id)

    async def update_workflow(self, workflow_id: str, change: Change, *, revision: int | None = None) -> Workflow:
        """See `WorkflowStore`."""
        async with self._database.write() as connection:
            before = await one(connection, workflow_id, lock=True)
            given = allowed(
                workflow_id, change, status=before.status, redrive_count=before.redrive_count,
                present=before.revision, revision=revision,
            )  # fmt: skip
            done = changed(before, given, self._stamps)
            await write(connection, [done])
            return done.after

    async def delete_workflow(self, workflow_id: str) -> None:
        """See `WorkflowStore`."""
        async with self._database.write() as connection:
            if not await _delete(connection, workflows.c.id == workflow_id):
                raise NotFoundError(workflow_id)

    async def delete_finished(self, before: datetime, *, limit: int = 1_000) -> int:
        """See `WorkflowStore`."""
        old = (
            select(workflows.c.id)
            .where(workflows.c.stopped_at < before, workflows.c.status.in_(TERMINAL))
            .order_by(workflows.c.stopped_at)
            .limit(limit)
        )
        async with self._database.write() as connection:
            await connection.execute(delete(idempotency_keys).where(idempotency_keys.c.expires < now()))
            ids = (await connection.scalars(old)).all()
            return await _delete(connection, workflows.c.id.in_(ids)) if ids else 0

    async def unfinished(self, *launch: Launch) -> AsyncIterator[Unfinished]:
        """See `WorkflowStore`."""
        place = tuple_(workflows.c.created_at, workflows.c.id)
        asked = select(*rows.UNFINISHED_PARTS).join_from(workflows, details, details.c.workflow_id == workflows.c.id)
        asked = asked.where(UNFINISHED).order_by(workflows.c.created_at, workflows.c.id).limit(_BATCH)
        if launch:
            asked = asked.where(workflows.c.launch.in_(launch))
        batch = asked
        while True:
            async with self._database.look() as connection:
                found = (await connection.execute(batch)).all()
            for row in found:
                yield rows.unfinished(row)
            if len(found) < _BATCH:
                return
            batch = asked.where(place > (found[-1].created_at, found[-1].id))

    async def counts(self) -> list[Count]:
        """See `WorkflowStore`."""
        async with self._database.look() as connection:
            return await counted(connection)


async def _pass(connection: AsyncConnection, guard: Guard) -> None:
    """Raises `RevisionError` if the guard has changed; whoever read it before now fails in turn."""
    found = await connection.execute(
        update(workflows)
        .where(workflows.c.id == guard.workflow_id, workflows.c.revision == guard.revision)
        .values(revision=guard.revision + 1)
    )
    if not found.rowcount:
        raise RevisionError(f"workflow {guard.workflow_id} has changed since it was read: read it again")


async def _known(connection: AsyncConnection, workflow: Workflow) -> tuple[WorkflowDefinition, bool]:
    """The definition of a new workflow, and whether its queue has a limit.

    Raises `ConflictError` if there is a workflow with its id, and `NotFoundError` for an unknown definition.
    """
    about = workflow.workflow_definition
    asked = {"id": workflow.id, "queue": workflow.queue, "name": about.name, "version": about.version}
    row: Any = (await connection.execute(_KNOWN, asked)).first()
    if row is None:
        raise NotFoundError(f"{about.name}@{about.version}")
    if row.taken:
        raise ConflictError(f"a workflow {workflow.id} exists already")
    return rows.about(row), row.limited


_KNOWN = select(
    *rows.ABOUT,
    exists().where(workflows.c.id == bindparam("id")).label("taken"),
    exists().where(queues.c.name == bindparam("queue"), queues.c.running_limit.is_not(None)).label("limited"),
).where(definitions.c.name == bindparam("name"), definitions.c.version == bindparam("version"))


async def _delete(connection: AsyncConnection, which: ColumnElement[bool]) -> int:
    """Deletes workflows, and what belongs to them; returns how many."""
    # Rows before counts, as whoever changes a workflow locks them.
    states = select(*STATE).where(which).order_by(workflows.c.id).with_for_update()
    gone = Counter(State(*row) for row in await connection.execute(states))
    deleted = (await connection.execute(delete(workflows).where(which))).rowcount
    await count_all(connection, {state: -number for state, number in gone.items()})
    return deleted
