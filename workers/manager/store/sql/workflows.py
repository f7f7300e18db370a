"""Workflows in SQL: kept, changed, deleted."""

from collections import Counter
from collections.abc import AsyncIterator, Callable
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, delete, exists, insert, select, tuple_, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from workers.manager.errors import ConflictError, IdempotencyError, NotFoundError, RevisionError
from workers.manager.model import Change, Count, Launch, Status, Workflow, now
from workers.manager.store.interface import Claim, Guard, IdempotencyKey, Unfinished
from workers.manager.store.order import allowed
from workers.manager.store.sql import rows
from workers.manager.store.sql.counting import STATE, State, count, count_all, counted
from workers.manager.store.sql.database import Database
from workers.manager.store.sql.dialects import inserting
from workers.manager.store.sql.reading import one
from workers.manager.store.sql.tables import (
    TERMINAL,
    UNFINISHED,
    definitions,
    details,
    idempotency_keys,
    tags,
    workflows,
)
from workers.manager.store.sql.turns import its_turn
from workers.manager.store.stamps import Stamps

_BATCH = 500
_DETAILS = {"output", "status_reason", "cancel_reason", "last_job", "jobs"}
_TEXTS: dict[str, Callable[[Any], Any]] = {"last_job": rows.job_text, "jobs": rows.jobs_text}


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
            if idempotency and (before := await _before(connection, idempotency, workflow.id)):
                return await one(connection, before)
            if guard:
                await _pass(connection, guard)
            at = self._stamps.next()
            kept = workflow.model_copy(update={"created_at": at, "last_updated": at, "revision": 1})
            if kept.launch is not Launch.STARTED:
                claimed = claim is not None and await its_turn(connection, kept.queue)
                kept = kept.model_copy(update={"launch": Launch.STARTING if claimed else Launch.WAITING})
            state = await _insert(connection, kept, claim if kept.launch is Launch.STARTING else None)
            found = await one(connection, kept.id)
            await count(connection, state, 1)  # at the end: who counts the same waits for this transaction
            return found

    async def workflow(self, workflow_id: str) -> Workflow:
        """See `WorkflowStore`."""
        async with self._database.read() as connection:
            return await one(connection, workflow_id)

    async def update_workflow(self, workflow_id: str, change: Change, *, revision: int | None = None) -> Workflow:
        """See `WorkflowStore`."""
        async with self._database.write() as connection:
            asked = select(*STATE, workflows.c.redrive_count, workflows.c.revision)
            row = (await connection.execute(asked.where(workflows.c.id == workflow_id).with_for_update())).first()
            if row is None:
                raise NotFoundError(workflow_id)
            given = allowed(
                workflow_id, change, status=Status(row.status), redrive_count=row.redrive_count,
                present=row.revision, revision=revision,
            )  # fmt: skip
            await self._apply(connection, workflow_id, given)
            before = State(*row[: len(STATE)])
            after = before._replace(
                status=given.get("status", before.status), resolved=given.get("resolved_by_user", before.resolved)
            )
            found = await one(connection, workflow_id)
            if after != before:
                await count_all(connection, {before: -1, after: 1})
            return found

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
            async with self._database.read() as connection:
                found = (await connection.execute(batch)).all()
            for row in found:
                yield rows.unfinished(row)
            if len(found) < _BATCH:
                return
            batch = asked.where(place > (found[-1].created_at, found[-1].id))

    async def counts(self) -> list[Count]:
        """See `WorkflowStore`."""
        async with self._database.read() as connection:
            return await counted(connection)

    async def _apply(self, connection: AsyncConnection, workflow_id: str, given: dict[str, Any]) -> None:
        values, beside = columns_of(given)
        values["last_updated"] = values.get("last_updated") or self._stamps.next()
        await connection.execute(
            update(workflows).where(workflows.c.id == workflow_id).values(**values, revision=workflows.c.revision + 1)
        )
        if state := {name: values[name] for name in ("status", "resolved") if name in values}:
            await connection.execute(update(tags).where(tags.c.workflow_id == workflow_id).values(state))
        if beside:
            await connection.execute(update(details).where(details.c.workflow_id == workflow_id).values(beside))


def columns_of(given: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """What the fields of a change write: the columns of `workflows`, and those of `workflow_details`."""
    values = {name: value for name, value in given.items() if name not in _DETAILS}
    beside = {name: _TEXTS.get(name, _same)(value) for name, value in given.items() if name in _DETAILS}
    if (resolved := values.pop("resolved_by_user", None)) is not None:
        values["resolved"] = resolved
    if values.get("launch") is not None:
        values |= {"claimed_by": None, "claimed_until": None}
    return values, beside


async def _before(connection: AsyncConnection, idempotency: IdempotencyKey, workflow_id: str) -> str | None:
    """The id of the workflow that the key made, if it is still there; else the key is `workflow_id`'s from now on.

    Raises `IdempotencyError`.
    """
    kept = idempotency_keys.c
    values = {"fingerprint": idempotency.fingerprint, "workflow_id": workflow_id, "expires": idempotency.expires}
    # Whoever else has the key keeps this waiting until it is known what becomes of it.
    added = inserting(connection, idempotency_keys).values(key=idempotency.key, **values)
    if (await connection.execute(added.on_conflict_do_nothing(index_elements=["key"]))).rowcount:
        return None
    asked = (
        select(kept.fingerprint, kept.workflow_id)
        .join_from(idempotency_keys, workflows, workflows.c.id == kept.workflow_id)
        .where(kept.key == idempotency.key, kept.expires >= now())
    )
    row = (await connection.execute(asked)).first()
    if row is None:
        await connection.execute(update(idempotency_keys).where(kept.key == idempotency.key).values(values))
        return None
    if row.fingerprint != idempotency.fingerprint:
        raise IdempotencyError(f"idempotency key {idempotency.key!r} was used for another request: choose a new one")
    return str(row.workflow_id)


async def _pass(connection: AsyncConnection, guard: Guard) -> None:
    """Raises `RevisionError` if the guard has changed; whoever read it before now fails in turn."""
    found = await connection.execute(
        update(workflows)
        .where(workflows.c.id == guard.workflow_id, workflows.c.revision == guard.revision)
        .values(revision=guard.revision + 1)
    )
    if not found.rowcount:
        raise RevisionError(f"workflow {guard.workflow_id} has changed since it was read: read it again")


async def _insert(connection: AsyncConnection, kept: Workflow, claim: Claim | None) -> State:
    """Writes a new workflow; what is to be counted."""
    about = kept.workflow_definition
    known = select(
        exists().where(workflows.c.id == kept.id),
        exists().where(definitions.c.name == about.name, definitions.c.version == about.version),
    )
    taken, defined = (await connection.execute(known)).one()
    if taken:
        raise ConflictError(f"a workflow {kept.id} exists already")
    if not defined:
        raise NotFoundError(f"{about.name}@{about.version}")
    values, beside = rows.workflow_values(kept)
    if claim:
        values |= {"claimed_by": claim.owner, "claimed_until": claim.until}
    try:
        await connection.execute(insert(workflows).values(values))
    except IntegrityError:
        raise ConflictError(f"somebody else has just changed what workflow {kept.id} needs: try again") from None
    await connection.execute(insert(details).values(beside))
    if kept.tags:
        same = {name: values[name] for name in ("status", "resolved", "created_at")} | {"workflow_id": kept.id}
        await connection.execute(insert(tags), [{"key": k, "value": v, **same} for k, v in kept.tags.items()])
    return State(about.name, about.version, values["status"], values["resolved"])


async def _delete(connection: AsyncConnection, which: ColumnElement[bool]) -> int:
    """Deletes workflows, and what belongs to them; returns how many."""
    # Rows before counts, as whoever changes a workflow locks them.
    states = select(*STATE).where(which).order_by(workflows.c.id).with_for_update()
    gone = Counter(State(*row) for row in await connection.execute(states))
    deleted = (await connection.execute(delete(workflows).where(which))).rowcount
    await count_all(connection, {state: -number for state, number in gone.items()})
    return deleted


def _same(value: Any) -> Any:
    return value
