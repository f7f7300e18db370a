"""Workflows as they are read: with their details, their definition, and those that resumed them."""

from collections.abc import Collection
from typing import Any

from sqlalchemy import ColumnElement, Select, select
from sqlalchemy.ext.asyncio import AsyncConnection

from workers.manager.errors import NotFoundError
from workers.manager.model import Workflow
from workers.manager.store.sql import rows
from workers.manager.store.sql.tables import definitions, details, workflows


async def one(connection: AsyncConnection, workflow_id: str) -> Workflow:
    """A workflow with everything. Raises `NotFoundError`."""
    row = (await connection.execute(joined(rows.WHOLE).where(workflows.c.id == workflow_id))).first()
    if row is None:
        raise NotFoundError(workflow_id)
    retries = await retries_of(connection, [workflow_id])
    return rows.whole(row, retries.get(workflow_id, ()))


async def retries_of(connection: AsyncConnection, ids: Collection[str]) -> dict[str, tuple[str, ...]]:
    """The workflows that resumed others, by those that they resumed, the oldest first."""
    asked = select(workflows.c.retry_for, workflows.c.id).where(workflows.c.retry_for.in_(ids))
    found: dict[str, tuple[str, ...]] = {}
    for of, retry in await connection.execute(asked.order_by(workflows.c.created_at, workflows.c.id)):
        found[of] = (*found.get(of, ()), retry)
    return found


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
