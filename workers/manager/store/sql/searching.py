"""Finding a text within ids: by an index of all texts of three characters."""

from sqlalchemy import column, select, table
from sqlalchemy.ext.asyncio import AsyncConnection

from workers.manager.store.sql.tables import workflows

FEW = 500
"""Ids that are looked up one by one. Where more have the text, a page is soon found among all."""
_SHORTEST = 3

_ids = table("workflow_ids", column("id"))
_ESCAPED = str.maketrans({character: f"/{character}" for character in "/%_"})


def escaped(text: str) -> str:
    """A text for a LIKE with the escape `/`."""
    return text.translate(_ESCAPED)


async def few_ids(connection: AsyncConnection, text: str) -> list[str] | None:
    """The ids that a text is in, if they are few; None if they are many, or the text is too short for the index."""
    if len(text) < _SHORTEST:
        return None
    if connection.dialect.name != "sqlite":
        likely = select(workflows.c.id).where(workflows.c.id.like(f"%{escaped(text)}%", escape="/")).limit(FEW + 1)
        await connection.exec_driver_sql("SET LOCAL enable_bitmapscan = on")  # it is how the index can be read
        found = list((await connection.scalars(likely)).all())
        await connection.exec_driver_sql("SET LOCAL enable_bitmapscan = off")
        return None if len(found) > FEW else found
    # Without ESCAPE the index serves; what `_` and `%` let through is judged again with it.
    coarse = select(_ids.c.id).where(_ids.c.id.like(f"%{text}%")).limit(FEW + 1)
    found = list((await connection.scalars(coarse)).all())
    return None if len(found) > FEW else found
