"""Many workflows at once in SQL: read in one statement, changed in one transaction."""

from collections.abc import Collection, Sequence
from functools import cache
from typing import Any

from sqlalchemy import Select, select
from sqlalchemy.ext.asyncio import AsyncConnection

from workers.manager.errors import TerminalStatusError
from workers.manager.model import Change, Workflow
from workers.manager.store.order import allowed
from workers.manager.store.sql import rows
from workers.manager.store.sql.changing import Changed, changed, write
from workers.manager.store.sql.database import Database
from workers.manager.store.sql.dialects import among
from workers.manager.store.sql.reading import many
from workers.manager.store.sql.tables import workflows
from workers.manager.store.stamps import Stamps


class SqlBulk:
    """See `BulkStore`."""

    _database: Database
    _stamps: Stamps

    async def many_workflows(self, ids: Collection[str]) -> list[Workflow]:
        """See `BulkStore`."""
        async with self._database.look() as connection:
            asked = many(connection.dialect.name, rows.WHOLE)
            return [rows.whole(row, ()) for row in await connection.execute(asked, {"ids": list(ids)})]

    async def update_workflows(self, changes: Sequence[tuple[Workflow, Change]]) -> list[Workflow]:
        """See `BulkStore`."""
        asked = {before.id: before for before, _ in changes}
        async with self._database.write() as connection:
            same = await _unchanged(connection, asked)
            done = []
            for before, change in changes:
                if before.id in same and (part := self._changed(before, change)):
                    same.remove(before.id)  # of two changes of one workflow, the second was not read after the first
                    done.append(part)
            await write(connection, done)
        return [part.after for part in done]

    def _changed(self, before: Workflow, change: Change) -> Changed | None:
        """None for a change that would go back."""
        try:
            given = allowed(
                before.id, change, status=before.status, redrive_count=before.redrive_count, present=before.revision,
                revision=None,
            )  # fmt: skip
        except TerminalStatusError:
            return None
        return changed(before, given, self._stamps)


async def _unchanged(connection: AsyncConnection, asked: dict[str, Workflow]) -> set[str]:
    """The ids of those that are as they were when they were read. They stay so until the transaction ends."""
    found = await connection.execute(_present(connection.dialect.name), {"ids": list(asked)})
    return {row.id for row in found if row.revision == asked[row.id].revision}


@cache
def _present(dialect: str) -> Select[Any]:
    asked = select(workflows.c.id, workflows.c.revision).where(among(dialect, workflows.c.id))
    return asked.order_by(workflows.c.id).with_for_update()
