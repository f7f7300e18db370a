"""Workflows of some last time, counted by definition, status and step, from an index alone."""

from datetime import datetime, timedelta

from sqlalchemy import BigInteger, bindparam, func, select, type_coerce

from workers.manager.model import Status
from workers.manager.store.interface import Tally
from workers.manager.store.sql.database import Database
from workers.manager.store.sql.tables import counts, milliseconds, workflows

_created = type_coerce(workflows.c.created_at, BigInteger)
_since = bindparam("since", type_=BigInteger)
_number = (_created - _since) // bindparam("step", type_=BigInteger)
_states = (
    select(counts.c.definition_name, counts.c.status, counts.c.resolved).where(counts.c.number != 0).distinct()
).subquery()
_TALLIES = (
    select(_states.c.definition_name, _states.c.status, _number.label("number"), func.count().label("total"))
    # The few states that there are lead to the ranges of an index in which the time is.
    .join_from(
        _states,
        workflows,
        (workflows.c.definition_name == _states.c.definition_name)
        & (workflows.c.status == _states.c.status)
        & (workflows.c.resolved == _states.c.resolved)
        & (_created >= _since),
    )
    .group_by(_states.c.definition_name, _states.c.status, _number)
)


class SqlTallies:
    """See `WorkflowStore`."""

    _database: Database

    async def tallies(self, since: datetime, step: timedelta) -> list[Tally]:
        """See `WorkflowStore`."""
        asked = {"since": milliseconds(since), "step": step // timedelta(milliseconds=1)}
        async with self._database.look() as connection:
            rows = (await connection.execute(_TALLIES, asked)).all()
        return [
            Tally(
                workflow_definition_name=row.definition_name,
                status=Status(row.status),
                since=since + row.number * step,
                count=row.total,
            )
            for row in rows
        ]
