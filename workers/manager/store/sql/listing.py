"""Pages of workflows in SQL, as fast at a million rows as at a thousand.

A workflow's status and whether it is resolved make ten states. For each state that may match, the next rows are taken
from the end of a range of an index, and the ends are merged: a page costs some hundred rows however many match. Where
the query names several things that have an index, the rarest leads, and the others are judged row by row.

Statements are long, so each is written once for all queries that differ in their values alone.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from sqlalchemy import (
    BigInteger,
    BindParameter,
    ColumnElement,
    FromClause,
    Select,
    Text,
    bindparam,
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
from workers.manager.store.sql.reading import many, retries_of
from workers.manager.store.sql.searching import FEW, escaped, few_ids
from workers.manager.store.sql.tables import tags, workflows

_RARE = 1_000
"""Rows that are counted, at most, to see what is rare."""
_SHAPES = 500

State = tuple[str, bool]


class SqlListing:
    """See `WorkflowStore`."""

    _database: Database

    async def workflows(self, query: Query) -> Page:
        """See `WorkflowStore`."""
        shape, values = _Shape.of(query), _values(query)
        async with self._database.read() as connection:
            ids = await _ids(connection, query, shape, values)
            page = ids[: query.limit]
            asked = many(connection.dialect.name, rows.SUMMARY)
            found = {row.id: row for row in await connection.execute(asked, {"ids": page})}
            retries = await retries_of(connection, page)
        items = tuple(rows.summary(found[key], retries.get(key, ())) for key in page)
        more = len(ids) > query.limit
        return Page(items=items, next_page_token=Cursor.after(query, items[-1]).token if more else None)


@dataclass(frozen=True, slots=True)
class _Shape:
    """What a query asks for, without the values."""

    names: frozenset[str]
    """Of the values that are given."""
    tags: int
    states: tuple[State, ...]
    sort: Sort
    oldest_first: bool

    @classmethod
    def of(cls, query: Query) -> "_Shape":
        """The shape of a query. Raises `InvalidPageTokenError`."""
        statuses = query.status or tuple(Status)
        flags = (False, True) if query.resolved_by_user is None else (query.resolved_by_user,)
        states = tuple((status.value, flag) for status in Status if status in statuses for flag in flags)
        return cls(frozenset(_values(query)), len(query.tags), states, query.sort, query.oldest_first)


def _values(query: Query) -> dict[str, Any]:
    """The values that a query gives, by the names of their parameters. Raises `InvalidPageTokenError`."""
    same = ("workflow_definition_name", "namespace", "queue", "created_after", "created_before", "updated_after")
    values = {name: value for name in same if (value := getattr(query, name)) is not None}
    if query.id_contains:
        values["id_pattern"] = f"%{escaped(query.id_contains)}%"
    for number, (key, value) in enumerate(query.tags.items()):
        values |= {f"key{number}": key, f"value{number}": value}
    if cursor := Cursor.of(query):
        values |= {"after_time": cursor.time, "after_id": cursor.workflow_id}
    return values


@dataclass(frozen=True, slots=True)
class _Lead:
    """What an index begins with: a column of a table, or the key and the value of a tag, equal to a parameter."""

    table: FromClause = workflows
    column: str | None = None
    tag: int = 0

    @property
    def id(self) -> ColumnElement[str]:
        """The column with the ids of the workflows."""
        return self.table.c.workflow_id if self.table is tags else self.table.c.id

    def select(self, state: State, *columns: ColumnElement[Any]) -> Select[Any]:
        """What the lead leads to, of one state."""
        status, resolved = state
        found = select(*columns).where(self.table.c.status == status, self.table.c.resolved == resolved)
        return found.where(*self._conditions())

    def _conditions(self) -> Iterator[ColumnElement[bool]]:
        if self.table is tags:
            yield from _tagged(tags, self.tag)
        elif self.column:
            yield workflows.c[self.column] == bindparam(_PARAMETERS[self.column])


_PARAMETERS = {"definition_name": "workflow_definition_name", "namespace": "namespace", "queue": "queue"}
"""The columns that have indexes, and the parameters that they are compared to."""


def _leads(shape: _Shape) -> list[_Lead]:
    """What may lead. For the times of changes only definitions have an index."""
    columns = [column for column, name in _PARAMETERS.items() if name in shape.names]
    if shape.sort is Sort.LAST_UPDATED:
        return [_Lead(column=column) for column in columns if column == "definition_name"] or [_Lead()]
    leads = [_Lead(tags, tag=number) for number in range(shape.tags)]
    return [*leads, *(_Lead(column=column) for column in columns)] or [_Lead()]


async def _rarest(connection: AsyncConnection, shape: _Shape, values: dict[str, Any]) -> _Lead:
    leads = _leads(shape)
    if len(leads) == 1:
        return leads[0]
    counts = [await connection.scalar(_count(shape.states, lead), values) for lead in leads]
    return leads[counts.index(min(counts))]


@lru_cache(_SHAPES)
def _count(states: tuple[State, ...], lead: _Lead) -> Select[Any]:
    some = union_all(
        *(_few(lead.select(state, lead.id), literal(_RARE, literal_execute=True)) for state in states)
    ).subquery()
    return select(func.count()).select_from(some)


async def _ids(connection: AsyncConnection, query: Query, shape: _Shape, values: dict[str, Any]) -> list[str]:
    """The ids of a page, and one more where there are more."""
    values = values | {"most": query.limit + 1}
    few = await few_ids(connection, query.id_contains) if query.id_contains else None
    if few == []:
        return []
    if few is None:
        statement = _ends(shape, await _rarest(connection, shape, values))
    else:
        statement, values = _among(shape), values | {"few": few}
    return list((await connection.scalars(statement, values)).all())


@lru_cache(_SHAPES)
def _among(shape: _Shape) -> Select[Any]:
    """The ids of a page among few that are known."""
    # The limit takes none away, but lets SQLite look the ids up before it thinks of other indexes.
    known = select(workflows).where(workflows.c.id.in_(bindparam("few", expanding=True))).limit(FEW).subquery()
    lead = _Lead(known)
    states = (
        known.c.status.in_({status for status, _ in shape.states}),
        known.c.resolved.in_({flag for _, flag in shape.states}),
    )
    found = select(known.c.id).where(*states, *_conditions(shape, lead))
    return _ordered(found, shape, _time(shape, lead), lead.id).limit(_most())


@lru_cache(_SHAPES)
def _ends(shape: _Shape, lead: _Lead) -> Select[Any]:
    """The ids of a page from the ends of the lead's ranges."""
    time = _time(shape, lead)
    conditions = list(_conditions(shape, lead))
    most = _most()
    ranges = []
    for state in shape.states:
        found = lead.select(state, lead.id.label("id"), time.label("time")).where(*conditions)
        ranges.append(_few(_ordered(found, shape, time, lead.id), most))
    merged = union_all(*ranges).subquery()
    return _ordered(select(merged.c.id), shape, merged.c.time, merged.c.id).limit(most)


def _time(shape: _Shape, lead: _Lead) -> ColumnElement[Any]:
    return lead.table.c.created_at if shape.sort is Sort.CREATED_AT else lead.table.c.last_updated


def _ordered(found: Select[Any], shape: _Shape, *place: ColumnElement[Any]) -> Select[Any]:
    return found.order_by(*(column if shape.oldest_first else column.desc() for column in place))


def _most() -> BindParameter[int]:
    """How many are taken, at most. It is written into the statement: for a number that it does not know, PostgreSQL
    makes a plan that takes many rows, finds it bad, and so plans each statement anew."""
    return bindparam("most", type_=BigInteger, literal_execute=True)


def _few(found: Select[Any], limit: ColumnElement[int]) -> Select[Any]:
    """At most so many of what was found. In parts of a union SQLite allows a LIMIT only further inside."""
    return select(found.limit(limit).subquery())


def _conditions(shape: _Shape, lead: _Lead) -> Iterator[ColumnElement[bool]]:
    """What is left to be judged in the range that the lead picks.

    Of other tables it is asked by EXISTS: a join would leave it to the database which table leads.
    """
    created = lead.table.c.created_at
    if "after_time" in shape.names:
        end = tuple_(bindparam("after_time", type_=BigInteger), bindparam("after_id", type_=Text))
        place = tuple_(type_coerce(_time(shape, lead), BigInteger), lead.id)
        yield place > end if shape.oldest_first else place < end
    if "created_after" in shape.names:
        yield created >= bindparam("created_after")
    if "created_before" in shape.names:
        yield created < bindparam("created_before")
    if "id_pattern" in shape.names:
        yield lead.id.like(bindparam("id_pattern"), escape="/")
    about = workflows if lead.table is tags else lead.table
    columns = [
        # Written so that no index of this column can lead: PostgreSQL takes the one that is rarer on the average.
        (about.c[column].concat("") if lead.table is workflows else about.c[column]) == bindparam(name)
        for column, name in _PARAMETERS.items()
        if name in shape.names and column != lead.column
    ]
    if "updated_after" in shape.names:
        columns.append(about.c.last_updated >= bindparam("updated_after"))
    if lead.table is not tags:
        yield from columns
    elif columns:
        yield _holds(lead, select(workflows.c.id).where(workflows.c.id == lead.id, *columns))
    other = tags.alias()
    for number in range(shape.tags):
        if lead.table is not tags or number != lead.tag:
            tagged = select(other.c.workflow_id).where(other.c.workflow_id == lead.id, *_tagged(other, number))
            yield _holds(lead, tagged)


def _holds(lead: _Lead, found: Select[Any]) -> ColumnElement[bool]:
    """EXISTS, asked row by row: without the OFFSET, PostgreSQL makes a join of it."""
    return exists(found.correlate(lead.table).offset(literal(0, literal_execute=True)))


def _tagged(table: Any, number: int) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return table.c.key == bindparam(f"key{number}"), table.c.value == bindparam(f"value{number}")
