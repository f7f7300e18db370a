"""What SQLite and PostgreSQL both do, and SQLAlchemy writes for each in its own way: inserting what may be there."""

from typing import Any

from sqlalchemy import ARRAY, Column, ColumnElement, Table, Text, bindparam, func
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection


def inserting(dialect: str, table: Table) -> Any:
    """An INSERT that can say what to do where the row is there: `on_conflict_do_update`, `on_conflict_do_nothing`."""
    return postgresql.insert(table) if dialect == "postgresql" else sqlite.insert(table)


def among(dialect: str, column: Column[str]) -> ColumnElement[bool]:
    """That a column is one of the parameter `ids`: in PostgreSQL one statement for any number of them, which is planned
    once."""
    if dialect == "postgresql":
        return column == func.any(bindparam("ids", type_=ARRAY(Text)))
    return column.in_(bindparam("ids", expanding=True))


async def put(connection: AsyncConnection, table: Table, values: dict[str, Any]) -> None:
    """Inserts a row, or replaces that with the same primary key."""
    key = [column.name for column in table.primary_key]
    added = inserting(connection.dialect.name, table).values(values)
    rest = {name: added.excluded[name] for name in values if name not in key}
    await connection.execute(added.on_conflict_do_update(index_elements=key, set_=rest))
