"""Requests that their callers have named, in SQL."""

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from workers.manager.errors import IdempotencyError
from workers.manager.model import now
from workers.manager.store.interface import IdempotencyKey
from workers.manager.store.sql.database import Database
from workers.manager.store.sql.dialects import inserting
from workers.manager.store.sql.tables import idempotency_keys, workflows


class SqlRequests:
    """See `RequestStore`."""

    _database: Database

    async def name_request(self, key: IdempotencyKey, result: str) -> str | None:
        """See `RequestStore`."""
        async with self._database.write() as connection:
            return await named_before(connection, key, result)


async def named_before(
    connection: AsyncConnection, key: IdempotencyKey, result: str, *, of_workflow: bool = False
) -> str | None:
    """What the key was kept with, if that still counts; else it is kept with `result` from now on.

    `of_workflow`: whether that is the id of a workflow, and counts only while there is the workflow. Raises
    `IdempotencyError`.
    """
    kept = idempotency_keys.c
    values = {"fingerprint": key.fingerprint, "workflow_id": result, "expires": key.expires}
    added = inserting(connection.dialect.name, idempotency_keys).values(key=key.key, **values)
    added = added.on_conflict_do_nothing(index_elements=["key"])
    locked = select(kept.key).where(kept.key == key.key).with_for_update()
    held = False
    while not held:  # again where it had expired, and was deleted in between
        # Whoever else has the key keeps this waiting until it is known what becomes of it; and a statement of its own
        # reads afterwards, for one that had to wait sees what was there before.
        if (await connection.execute(added)).rowcount:
            return None
        held = await connection.scalar(locked) is not None
    asked = select(kept.fingerprint, kept.workflow_id).where(kept.key == key.key, kept.expires >= now())
    if of_workflow:
        asked = asked.join_from(idempotency_keys, workflows, workflows.c.id == kept.workflow_id)
    row = (await connection.execute(asked)).first()
    if row is None:
        await connection.execute(update(idempotency_keys).where(kept.key == key.key).values(values))
        return None
    if row.fingerprint != key.fingerprint:
        raise IdempotencyError(f"idempotency key {key.name!r} was used for another request: choose a new one")
    return str(row.workflow_id)
