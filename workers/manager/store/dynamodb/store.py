"""The store in DynamoDB, put together."""

from typing import Self

from workers.manager.store.dynamodb.bulk import DynamoBulk
from workers.manager.store.dynamodb.database import DynamoDatabase
from workers.manager.store.dynamodb.leases import DynamoLeases
from workers.manager.store.dynamodb.listing import DynamoListing
from workers.manager.store.dynamodb.queues import DynamoQueues
from workers.manager.store.dynamodb.requests import DynamoRequests
from workers.manager.store.dynamodb.tables import Names
from workers.manager.store.dynamodb.tallying import DynamoTallies
from workers.manager.store.dynamodb.workflow_items import WorkflowItems
from workers.manager.store.stamps import Stamps
from workers.payloads.payloads import Payloads
from workers.stepfunctions.connection import Connection


class DynamoStore(DynamoListing, DynamoRequests, DynamoTallies, DynamoBulk, DynamoQueues, DynamoLeases):
    """The manager's store in the tables `PREFIX-definitions`, `PREFIX-workflows` and `PREFIX-registry`.

    Entering makes those that are missing; they are paid by request. `payloads`, open as long as this is used, takes
    what is too large for an item; without it that is refused.
    """

    def __init__(self, prefix: str, connection: Connection, payloads: Payloads | None = None) -> None:
        self._database = DynamoDatabase(Names(prefix), connection)
        self._items = WorkflowItems(self._database, payloads)
        self._stamps = Stamps()

    async def __aenter__(self) -> Self:
        await self._database.open()
        return self

    async def __aexit__(self, *failure: object) -> None:
        await self._database.close()
