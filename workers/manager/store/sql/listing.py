"""Pages of workflows in SQL, as fast at a million rows as at a thousand.

A workflow's status and whether it is resolved make ten states. For each state that may match, the next rows are taken
from the end of a range of an index, and the ends are merged: a page costs some hundred rows however many match. Where
the query names several things that have an index, the rarest leads, and the others are judged row by row.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Select,
    Table,
    Text,
    exists,
    func,
    literal,
    select,
    tuple_,
    type_coerce,
    union_all,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from workers.manager.model import Page, Query, Sort, Status
from workers.manager.store.cursor import Cursor
from workers.manager.store.sql import rows
from workers.manager.store.sql.database import Database
from workers.manager.store.sql.reading import joined, retries_of
from workers.manager.store.sql.tables import tags, workflows

_RARE = 1_000
"""Rows that are counted, at most, to see what is rare."""

State = tuple[str, bool]


class SqlListing:
    """See `WorkflowStore`."""

    _database: Database

    async def workflows(self, query: Query) -> Page:
        """See `WorkflowStore`."""
        cursor = Cursor.of(query)
        async with self._database.read() as connection:
            lead = await _rarest(connection, query)
            ids = list((await connection.scalars(_ends(query, lead, cursor))).all())
            asked = joined(rows.SUMMARY).where(workflows.c.id.in_(ids[: query.limit]))
            found = {row.id: row for row in await connection.execute(asked)}
            retries = await retries_of(connection, found)
        items = tuple(rows.summary(found[key], retries.get(key, ())) for key in ids[: query.limit])
        more = len(ids) > query.limit
        return Page(items=items, next_page_token=Cursor.after(query, items[-1]).token if more else None)


@dataclass(frozen=True, slots=True)
class _Lead:
    """What an index begins with: a table, and the condition that picks the range."""

    table: Table
    condition: ColumnElement[bool] | None = None

    @property
    def id(self) -> ColumnElement[str]:
        """The column with the ids of the workflows."""
        return self.table.c.id if self.table is workflows else self.table.c.workflow_id

    def select(self, state: State, *columns: ColumnElement[Any]) -> Select[Any]:
        """What the lead leads to, of one state."""
        status, resolved = state
        found = select(*columns).where(self.table.c.status == status, self.table.c.resolved == resolved)
        return found if self.condition is None else found.where(self.condition)


def _leads(query: Query) -> Iterator[_Lead]:
    """What may lead. For the times of changes only definitions have an index."""
    if query.workflow_definition_name is not None:
        yield _Lead(workflows, workflows.c.definition_name == query.workflow_definition_name)
    if query.sort is Sort.CREATED_AT:
        for key, value in query.tags.items():
            yield _Lead(tags, (tags.c.key == key) & (tags.c.value == value))
        if query.namespace is not None:
            yield _Lead(workflows, workflows.c.namespace == query.namespace)
        if query.queue is not None:
            yield _Lead(workflows, workflows.c.queue == query.queue)


async def _rarest(connection: AsyncConnection, query: Query) -> _Lead:
    leads = list(_leads(query)) or [_Lead(workflows)]
    if len(leads) == 1:
        return leads[0]
    counts = []
    for lead in leads:
        some = union_all(*(_few(lead.select(state, lead.id), _RARE) for state in _states(query))).subquery()
        counts.append(int(await connection.scalar(select(func.count()).select_from(some)) or 0))
    return leads[counts.index(min(counts))]


def _ends(query: Query, lead: _Lead, cursor: Cursor | None) -> Select[Any]:
    """The ids of a page, and one more where there are more."""
    time = lead.table.c.created_at if query.sort is Sort.CREATED_AT else lead.table.c.last_updated
    conditions = list(_conditions(query, lead))
    if cursor:
        end = tuple_(literal(cursor.time, BigInteger), literal(cursor.workflow_id, Text))
        place = tuple_(type_coerce(time, BigInteger), lead.id)
        conditions.append(place > end if query.oldest_first else place < end)
    ranges = [
        _few(_ordered(lead.select(state, lead.id.label("id"), time.label("time")).where(*conditions), query, time,
                      lead.id), query.limit + 1)
        for state in _states(query)
    ]  # fmt: skip
    merged = union_all(*ranges).subquery()
    return _ordered(select(merged.c.id), query, merged.c.time, merged.c.id).limit(query.limit + 1)


def _ordered(found: Select[Any], query: Query, *place: ColumnElement[Any]) -> Select[Any]:
    return found.order_by(*(column if query.oldest_first else column.desc() for column in place))


def _few(found: Select[Any], limit: int) -> Select[Any]:
    """At most so many of what was found. In parts of a union SQLite allows a LIMIT only further inside."""
    return select(found.limit(limit).subquery())


def _states(query: Query) -> list[State]:
    """The states that match."""
    statuses = query.status or tuple(Status)
    flags = (False, True) if query.resolved_by_user is None else (query.resolved_by_user,)
    return [(status.value, flag) for status in dict.fromkeys(statuses) for flag in flags]


def _conditions(query: Query, lead: _Lead) -> Iterator[ColumnElement[bool]]:
    """What is left to be judged in the range that the lead picks.

    Of other tables it is asked by EXISTS: a join would leave it to the database which table leads.
    """
    created = lead.table.c.created_at
    if query.created_after is not None:
        yield created >= query.created_after
    if query.created_before is not None:
        yield created < query.created_before
    if query.id_contains:
        yield lead.id.contains(query.id_contains, autoescape=True)
    columns = list(_columns(query))
    if lead.table is workflows:
        yield from columns
    elif columns:
        yield exists().where(workflows.c.id == lead.id, *columns)
    other = tags.alias()
    for key, value in query.tags.items():
        yield exists().where(other.c.workflow_id == lead.id, other.c.key == key, other.c.value == value)


def _columns(query: Query) -> Iterator[ColumnElement[bool]]:
    columns = workflows.c
    if query.workflow_definition_name is not None:
        yield columns.definition_name == query.workflow_definition_name
    if query.namespace is not None:
        yield columns.namespace == query.namespace
    if query.queue is not None:
        yield columns.queue == query.queue
    if query.updated_after is not None:
        yield columns.last_updated >= query.updated_after
