"""Whose turn it is to start, in queues that let only so many workflows run."""

from sqlalchemy import exists, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from workers.manager.model import Launch
from workers.manager.store.sql.tables import UNFINISHED, queues, workflows

_BEGUN = (Launch.STARTING.value, Launch.STARTED.value)


async def its_turn(connection: AsyncConnection, queue: str) -> bool:
    """Whether a workflow may start that is the newest in its queue."""
    limit = await running_limit(connection, queue)
    if limit is None:
        return True
    before = select(exists().where(UNFINISHED, workflows.c.queue == queue, workflows.c.launch == Launch.WAITING.value))
    return not await connection.scalar(before) and await running(connection, queue) < limit


async def running_limit(connection: AsyncConnection, queue: str) -> int | None:
    """How many workflows of a queue may run. The queue is locked until the transaction ends, so that nobody else
    counts what runs in it meanwhile."""
    asked = select(queues.c.running_limit).where(queues.c.name == queue).with_for_update()
    limit: int | None = await connection.scalar(asked)
    return limit


async def running(connection: AsyncConnection, queue: str) -> int:
    """How many workflows of a queue run, or are being started."""
    asked = (
        select(func.count())
        .select_from(workflows)
        .where(UNFINISHED, workflows.c.queue == queue, workflows.c.launch.in_(_BEGUN))
    )
    return int(await connection.scalar(asked) or 0)
