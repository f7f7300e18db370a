"""New workflows in SQL: their rows, and that they are counted.

SQLite, which is called and not asked over a connection, gets a statement for each table; PostgreSQL one for them all,
because each costs a trip to the server and as much time of both as many rows do.
"""

from functools import cache
from typing import Any

from sqlalchemy import ARRAY, Insert, Table, Text, bindparam, func, insert, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from workers.manager.errors import ConflictError
from workers.manager.model import Workflow
from workers.manager.store.interface import Claim
from workers.manager.store.sql import rows
from workers.manager.store.sql.counting import State, count_all, counting
from workers.manager.store.sql.tables import counts, details, tags, workflows

_WORKFLOW, _DETAILS, _TAGS = insert(workflows), insert(details), insert(tags)
_SAME = ("status", "resolved", "created_at", "id")
"""What the rows of tags repeat of their workflow's."""


async def add(connection: AsyncConnection, kept: Workflow, claim: Claim | None) -> None:
    """Writes a new workflow, at the end of its transaction: who counts the same waits for that.

    Raises `ConflictError` where somebody else has just written its id, or deleted its definition.
    """
    row, beside = rows.workflow_values(kept)
    if claim:
        row |= {"claimed_by": claim.owner, "claimed_until": claim.until}
    about = kept.workflow_definition
    state = State(about.name, about.version, row["status"], row["resolved"])
    try:
        if connection.dialect.name == "postgresql":
            await connection.execute(_together(), _parameters(row, beside, kept.tags, state))
            return
        await connection.execute(_WORKFLOW, row)
    except IntegrityError:
        raise ConflictError(f"somebody else has just changed what workflow {kept.id} needs: try again") from None
    await connection.execute(_DETAILS, beside)
    if kept.tags:
        same = {name: row[name] for name in _SAME if name != "id"} | {"workflow_id": kept.id}
        await connection.execute(_TAGS, [{"key": key, "value": value, **same} for key, value in kept.tags.items()])
    await count_all(connection, {state: 1})


@cache
def _together() -> Insert:
    """All of it in one statement; of its parameters those of each table have a letter in front."""
    new = insert(workflows).values(_named("w", workflows)).cte("new")
    beside = insert(details).values(_named("d", details)).cte("beside")
    pairs = func.unnest(bindparam("keys", type_=ARRAY(Text)), bindparam("values", type_=ARRAY(Text)))
    pair = pairs.table_valued("key", "value").render_derived(name="pair")
    same = [bindparam(f"w_{name}", type_=workflows.c[name].type) for name in _SAME]
    columns = ["key", "value", *_SAME[:-1], "workflow_id"]
    tagged = insert(tags).from_select(columns, select(pair.c.key, pair.c.value, *same)).cte("tagged")
    counted: Insert = counting("postgresql", _named("c", counts))
    return counted.add_cte(new, beside, tagged)


def _named(letter: str, table: Table) -> dict[str, Any]:
    return {column.name: bindparam(f"{letter}_{column.name}", type_=column.type) for column in table.c}


def _parameters(row: rows.Values, beside: rows.Values, tags_: dict[str, str], state: State) -> dict[str, Any]:
    found: dict[str, Any] = {f"w_{column.name}": row.get(column.name) for column in workflows.c}
    found |= {f"d_{name}": value for name, value in beside.items()}
    found |= {f"c_{name}": value for name, value in state._asdict().items()}
    return found | {"c_number": 1, "keys": list(tags_), "values": list(tags_.values())}
