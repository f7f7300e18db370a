"""What SQLite and PostgreSQL both do, and SQLAlchemy writes for each in its own way: inserting what may be there."""

from typing import Any

from sqlalchemy import Table
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection


def inserting(connection: AsyncConnection, table: Table) -> Any:
    """An INSERT that can say what to do where the row is there: `on_conflict_do_update`, `on_conflict_do_nothing`."""
    return postgresql.insert(table) if connection.dialect.name == "postgresql" else sqlite.insert(table)


async def put(connection: AsyncConnection, table: Table, values: dict[str, Any]) -> None:
    """Inserts a row, or replaces that with the same primary key."""
    key = [column.name for column in table.primary_key]
    added = inserting(connection, table).values(values)
    rest = {name: added.excluded[name] for name in values if name not in key}
    await connection.execute(added.on_conflict_do_update(index_elements=key, set_=rest))
