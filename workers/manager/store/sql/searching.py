"""Finding a text within ids: by an index of all texts of three characters, where the database has it."""

from sqlalchemy import column, select, table
from sqlalchemy.ext.asyncio import AsyncConnection

FEW = 500
"""Ids that are looked up one by one. Where more have the text, a page is soon found among all."""
_SHORTEST = 3

_ids = table("workflow_ids", column("id"))


async def few_ids(connection: AsyncConnection, text: str) -> list[str] | None:
    """The ids that a text is in, if they are few; None if they are many, or the database has no such index."""
    if connection.dialect.name != "sqlite" or len(text) < _SHORTEST:
        return None
    # Without ESCAPE the index serves; what `_` and `%` let through is judged again with it.
    coarse = select(_ids.c.id).where(_ids.c.id.like(f"%{text}%")).limit(FEW + 1)
    found = list((await connection.scalars(coarse)).all())
    return None if len(found) > FEW else found
