"""Leases in DynamoDB."""

from datetime import timedelta

from workers.manager.model import now
from workers.manager.store.dynamodb.database import DynamoDatabase, RefusedError
from workers.manager.store.dynamodb.items import expressions, milliseconds, to_item
from workers.manager.store.interface import Lease

_LEASE = "lease"


class DynamoLeases:
    """See `LeaseStore`."""

    _database: DynamoDatabase

    async def acquire_lease(self, name: str, owner: str, seconds: float) -> Lease | None:
        """See `LeaseStore`."""
        table, key = self._database.names.registry, {"kind": _LEASE, "name": name}
        item = await self._database.get(table, **key)
        at = now()
        valid = item is not None and item["until"] > milliseconds(at)
        if item and valid and item["owner"] != owner:
            return None
        token = item["token"] + (0 if valid else 1) if item else 1
        lease = Lease(name, owner, token, at + timedelta(seconds=seconds))
        after = {**key, "owner": owner, "token": token, "until": milliseconds(lease.expires)}
        condition = (
            expressions(
                {"owner": item["owner"], "token": item["token"], "until": item["until"]},
                ConditionExpression="@owner = :owner AND @token = :token AND @until = :until",
            )
            if item
            else expressions(ConditionExpression="attribute_not_exists(@kind)")
        )
        try:
            await self._database.call("put_item", TableName=table, Item=to_item(after), **condition)
        except RefusedError:
            return None  # another one was faster
        return lease

    async def release_lease(self, lease: Lease) -> None:
        """See `LeaseStore`."""
        try:
            await self._database.call(
                "update_item",
                TableName=self._database.names.registry,
                Key=to_item({"kind": _LEASE, "name": lease.name}),
                **expressions(
                    {"owner": lease.owner, "token": lease.token, "now": milliseconds(now())},
                    UpdateExpression="SET @until = :now",
                    ConditionExpression="@owner = :owner AND @token = :token",
                ),
            )
        except RefusedError:
            return
