"""How many workflows of each version of a definition are in each state."""

from collections.abc import Mapping
from functools import cache
from typing import Any, NamedTuple

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from workers.manager.model import Count, Status
from workers.manager.store.sql.dialects import inserting
from workers.manager.store.sql.tables import counts, workflows

STATE = (workflows.c.definition_name, workflows.c.definition_version, workflows.c.status, workflows.c.resolved)
"""The columns that make a `State`."""


_KEY = list(counts.primary_key)


class State(NamedTuple):
    """What is counted by."""

    definition_name: str
    definition_version: int
    status: str
    resolved: bool


async def count_all(connection: AsyncConnection, changes: Mapping[State, int]) -> None:
    """Counts so many more of each: always in the same order, so that two who count do not wait for each other."""
    values = [{**state._asdict(), "number": change} for state, change in sorted(changes.items()) if change]
    if values:
        await connection.execute(_added(connection.dialect.name), values)


@cache
def _added(dialect: str) -> Any:
    return counting(dialect)


def counting(dialect: str, values: Mapping[str, Any] | None = None) -> Any:
    """The statement that counts more of something; `values`: what stands for its columns, if they are not given."""
    added = inserting(dialect, counts)
    if values:
        added = added.values(values)
    more = counts.c.number + added.excluded.number
    return added.on_conflict_do_update(index_elements=_KEY, set_={"number": more})


async def counted(connection: AsyncConnection) -> list[Count]:
    """All counts that are not 0."""
    rows = await connection.execute(select(counts).where(counts.c.number != 0))
    return [
        Count(
            workflow_definition_name=row.definition_name,
            version=row.definition_version,
            status=Status(row.status),
            resolved_by_user=row.resolved,
            count=row.number,
        )
        for row in rows
    ]
