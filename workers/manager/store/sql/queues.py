"""Queues and claims in SQL."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Select, bindparam, case, delete, exists, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from workers.manager.errors import NotFoundError
from workers.manager.model import Launch, Queue, QueueState, Workflow, now
from workers.manager.store.interface import Claim
from workers.manager.store.sql.database import Database
from workers.manager.store.sql.dialects import put
from workers.manager.store.sql.reading import one, some
from workers.manager.store.sql.tables import UNFINISHED, queues, workflows
from workers.manager.store.sql.turns import running, running_limit

_WAITS = workflows.c.launch == Launch.WAITING.value
_LAPSED = workflows.c.launch == Launch.STARTING.value
_SOME = select(
    exists().where(UNFINISHED, _WAITS)
    | exists().where(UNFINISHED, _LAPSED, workflows.c.claimed_until < bindparam("now"))
)


class SqlQueues:
    """See `QueueStore`."""

    _database: Database

    async def save_queue(self, queue: Queue) -> None:
        """See `QueueStore`."""
        async with self._database.write() as connection:
            await put(connection, queues, {"name": queue.name, "running_limit": queue.limit})

    async def queues(self) -> list[QueueState]:
        """See `QueueStore`."""
        waiting = func.sum(case((_WAITS, 1), else_=0))
        inside = (
            select(workflows.c.queue, waiting, func.count() - waiting).where(UNFINISHED).group_by(workflows.c.queue)
        )
        async with self._database.read() as connection:
            limits = {row.name: row.running_limit for row in await connection.execute(select(queues))}
            found = {name: (waits, runs) for name, waits, runs in await connection.execute(inside)}
        return [
            QueueState(name=name, limit=limits.get(name), waiting=waits, running=runs)
            for name in sorted(limits.keys() | found.keys())
            for waits, runs in [found.get(name, (0, 0))]
        ]

    async def delete_queue(self, name: str) -> None:
        """See `QueueStore`."""
        async with self._database.write() as connection:
            if not (await connection.execute(delete(queues).where(queues.c.name == name))).rowcount:
                raise NotFoundError(name)

    async def claim_starts(self, claim: Claim, *, limit: int = 100) -> Sequence[Workflow]:
        """See `QueueStore`."""
        async with self._database.look() as connection:  # mostly there is nothing, and nobody need wait for that
            if not await connection.scalar(_SOME, {"now": now()}):
                return []
        async with self._database.write() as connection:
            lapsed = select(workflows.c.id).where(UNFINISHED, _LAPSED, workflows.c.claimed_until < now())
            oldest = (workflows.c.created_at, workflows.c.id)
            chosen = list((await connection.scalars(_free(lapsed.order_by(*oldest).limit(limit)))).all())
            waiting = select(workflows.c.queue).where(UNFINISHED, _WAITS).distinct().order_by(workflows.c.queue)
            for queue in (await connection.scalars(waiting)).all():
                room = limit - len(chosen)
                if (most := await running_limit(connection, queue)) is not None:
                    room = min(room, most - await running(connection, queue))
                if room > 0:
                    turn = select(workflows.c.id).where(UNFINISHED, workflows.c.queue == queue, _WAITS)
                    chosen += (await connection.scalars(_free(turn.order_by(*oldest).limit(room)))).all()
            await _claim(connection, chosen, claim)
            return await some(connection, chosen)

    async def claim_start(self, workflow_id: str, claim: Claim) -> Workflow | None:
        """See `QueueStore`."""
        async with self._database.write() as connection:
            asked = select(workflows.c.launch, workflows.c.queue, workflows.c.created_at, workflows.c.claimed_until)
            asked = asked.where(workflows.c.id == workflow_id, UNFINISHED).with_for_update()
            row = (await connection.execute(asked)).first()
            if row is None or row.launch == Launch.STARTED:
                return None
            if row.launch == Launch.STARTING and row.claimed_until >= now():
                return None
            if row.launch == Launch.WAITING and (most := await running_limit(connection, row.queue)) is not None:
                before = select(func.count()).select_from(workflows).where(
                    UNFINISHED, workflows.c.queue == row.queue, _WAITS, workflows.c.created_at < row.created_at
                )  # fmt: skip
                if int(await connection.scalar(before) or 0) + await running(connection, row.queue) >= most:
                    return None
            await _claim(connection, [workflow_id], claim)
            return await one(connection, workflow_id)


def _free(asked: Select[Any]) -> Select[Any]:
    """Locks the rows that are chosen, of those that nobody else is about to change."""
    return asked.with_for_update(skip_locked=True)


async def _claim(connection: AsyncConnection, chosen: Sequence[str], claim: Claim) -> None:
    if chosen:
        await connection.execute(
            update(workflows)
            .where(workflows.c.id.in_(chosen))
            .values(
                launch=Launch.STARTING.value,
                claimed_by=claim.owner,
                claimed_until=claim.until,
                revision=workflows.c.revision + 1,
            )
        )
