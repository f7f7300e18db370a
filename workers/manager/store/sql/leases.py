"""Leases in SQL."""

from datetime import timedelta

from sqlalchemy import insert, select, update
from sqlalchemy.exc import IntegrityError

from workers.manager.model import now
from workers.manager.store.interface import Lease
from workers.manager.store.sql.database import Database
from workers.manager.store.sql.tables import leases


class SqlLeases:
    """See `LeaseStore`."""

    _database: Database

    async def acquire_lease(self, name: str, owner: str, seconds: float) -> Lease | None:
        """See `LeaseStore`."""
        async with self._database.write() as connection:
            row = (await connection.execute(select(leases).where(leases.c.name == name).with_for_update())).first()
            at = now()
            until = at + timedelta(seconds=seconds)
            if row is None:
                try:
                    await connection.execute(insert(leases).values(name=name, owner=owner, token=1, expires=until))
                except IntegrityError:
                    return None  # another one was faster
                return Lease(name, owner, 1, until)
            if row.owner != owner and row.expires > at:
                return None
            token = row.token if row.owner == owner and row.expires > at else row.token + 1
            change = update(leases).where(leases.c.name == name).values(owner=owner, token=token, expires=until)
            await connection.execute(change)
            return Lease(name, owner, token, until)

    async def release_lease(self, lease: Lease) -> None:
        """See `LeaseStore`."""
        async with self._database.write() as connection:
            await connection.execute(
                update(leases)
                .where(leases.c.name == lease.name, leases.c.owner == lease.owner, leases.c.token == lease.token)
                .values(expires=now())
            )
