"""The store in a SQL database, put together."""

from typing import Self

from workers.manager.store.sql.bulk import SqlBulk
from workers.manager.store.sql.database import Database
from workers.manager.store.sql.definitions import SqlDefinitions
from workers.manager.store.sql.leases import SqlLeases
from workers.manager.store.sql.listing import SqlListing
from workers.manager.store.sql.migrating import upgrade
from workers.manager.store.sql.queues import SqlQueues
from workers.manager.store.sql.requests import SqlRequests
from workers.manager.store.sql.tallying import SqlTallies
from workers.manager.store.sql.workflows import SqlWorkflows
from workers.manager.store.stamps import Stamps


class SqlStore(SqlDefinitions, SqlWorkflows, SqlRequests, SqlListing, SqlTallies, SqlBulk, SqlQueues, SqlLeases):
    """The manager's store at `url`: `sqlite:///FILE`, or `sqlite://` for one in memory.

    Entering makes the tables, or brings those of an older version up to date. Raises `UsageError` for a URL that cannot
    be used, and for tables of a newer version.
    """

    def __init__(self, url: str) -> None:
        self._database = Database(url)
        self._stamps = Stamps()

    async def __aenter__(self) -> Self:
        try:
            await upgrade(self._database)
        except BaseException:
            await self._database.close()
            raise
        return self

    async def __aexit__(self, *failure: object) -> None:
        await self._database.close()
