"""Workflows as they are read: with their details, their definition, and those that resumed them."""

from collections.abc import Collection, Sequence
from functools import cache
from typing import Any

from sqlalchemy import ColumnElement, Select, bindparam, select
from sqlalchemy.ext.asyncio import AsyncConnection

from workers.manager.errors import NotFoundError
from workers.manager.model import Workflow
from workers.manager.store.sql import rows
from workers.manager.store.sql.dialects import among
from workers.manager.store.sql.tables import definitions, details, workflows


async def one(connection: AsyncConnection, workflow_id: str, *, lock: bool = False) -> Workflow:
    """A workflow with everything; with `lock`, as it stays until the transaction ends. Raises `NotFoundError`."""
    row = (await connection.execute(_LOCKED if lock else _ONE, {"one": workflow_id})).first()
    if row is None:
        raise NotFoundError(workflow_id)
    retries = await retries_of(connection, [workflow_id])
    return rows.whole(row, retries.get(workflow_id, ()))


async def some(connection: AsyncConnection, ids: Sequence[str]) -> list[Workflow]:
    """Workflows with everything, in the order of their ids here; those that are not there are left out."""
    if not ids:
        return []
    asked = many(connection.dialect.name, rows.WHOLE)
    found = {row.id: row for row in await connection.execute(asked, {"ids": ids})}
    retries = await retries_of(connection, ids)
    return [rows.whole(found[key], retries.get(key, ())) for key in ids if key in found]


async def retries_of(connection: AsyncConnection, ids: Collection[str]) -> dict[str, tuple[str, ...]]:
    """The workflows that resumed others, by those that they resumed, the oldest first."""
    found: dict[str, tuple[str, ...]] = {}
    for of, retry in await connection.execute(_retries(connection.dialect.name), {"ids": list(ids)}):
        found[of] = (*found.get(of, ()), retry)
    return found


@cache
def _retries(dialect: str) -> Select[Any]:
    asked = select(workflows.c.retry_for, workflows.c.id).where(among(dialect, workflows.c.retry_for))
    return asked.order_by(workflows.c.created_at, workflows.c.id)


@cache
def many(dialect: str, columns: tuple[ColumnElement[Any], ...]) -> Select[Any]:
    """Of the workflows named by `ids` those that exist, in no order."""
    return joined(columns).where(among(dialect, workflows.c.id))


def joined(columns: tuple[ColumnElement[Any], ...]) -> Select[Any]:
    """A selection from workflows, their details and definitions."""
    return (
        select(*columns)
        .select_from(workflows)
        .join(details, details.c.workflow_id == workflows.c.id)
        .join(
            definitions,
            (definitions.c.name == workflows.c.definition_name)
            & (definitions.c.version == workflows.c.definition_version),
        )
    )


_ONE = joined(rows.WHOLE).where(workflows.c.id == bindparam("one"))
_LOCKED = _ONE.with_for_update(of=[workflows, details])
"""Both are locked: of a table that is not, PostgreSQL shows what was there before it had to wait for the other one."""
