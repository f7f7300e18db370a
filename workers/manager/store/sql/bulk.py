"""Many workflows at once in SQL: read in one statement, changed in one transaction."""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Sequence
from typing import Any

from sqlalchemy import Table, bindparam, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from workers.manager.errors import TerminalStatusError
from workers.manager.model import Change, Workflow
from workers.manager.store.order import allowed
from workers.manager.store.sql import rows
from workers.manager.store.sql.counting import State, count
from workers.manager.store.sql.database import Database
from workers.manager.store.sql.reading import joined
from workers.manager.store.sql.tables import details, tags, workflows
from workers.manager.store.sql.workflows import columns_of
from workers.manager.store.stamps import Stamps

_KEY = "changed_id"
"""The parameter with the id of the workflow; no column is called so."""

Values = dict[str, Any]


class SqlBulk:
    """See `BulkStore`."""

    _database: Database
    _stamps: Stamps

    async def many_workflows(self, ids: Collection[str]) -> list[Workflow]:
        """See `BulkStore`."""
        async with self._database.read() as connection:
            found = await connection.execute(joined(rows.WHOLE).where(workflows.c.id.in_(ids)))
            return [rows.whole(row, ()) for row in found]

    async def update_workflows(self, changes: Sequence[tuple[Workflow, Change]]) -> list[Workflow]:
        """See `BulkStore`."""
        asked = {before.id: before for before, _ in changes}
        async with self._database.write() as connection:
            same = await _unchanged(connection, asked)
            done = [after for before, change in changes if before.id in same if (after := self._after(before, change))]
            for table, column, parts in (
                (workflows, workflows.c.id, [_row(after, given) for after, given in done]),
                (details, details.c.workflow_id, [_details(after, given) for after, given in done]),
                (tags, tags.c.workflow_id, [_state(after, given) for after, given in done if after.tags]),
            ):
                for values in _alike(parts):
                    await connection.execute(_statement(table, column, values[0]), values)
            await _counted(connection, [(asked[after.id], after) for after, _ in done])
        return [after for after, _ in done]

    def _after(self, before: Workflow, change: Change) -> tuple[Workflow, Values] | None:
        """The workflow as it becomes, and what is written; None for a change that would go back."""
        try:
            given = allowed(
                before.id, change, status=before.status, redrive_count=before.redrive_count, present=before.revision,
                revision=None,
            )  # fmt: skip
        except TerminalStatusError:
            return None
        if given.get("resolved_by_user") is None:
            given.pop("resolved_by_user", None)
        given["last_updated"] = given.get("last_updated") or self._stamps.next()
        return before.model_copy(update=given | {"revision": before.revision + 1}), given


async def _unchanged(connection: AsyncConnection, asked: dict[str, Workflow]) -> set[str]:
    """The ids of those that are as they were when they were read. They stay so until the transaction ends."""
    present = select(workflows.c.id, workflows.c.revision).where(workflows.c.id.in_(asked))
    found = await connection.execute(present.order_by(workflows.c.id).with_for_update())
    return {row.id for row in found if row.revision == asked[row.id].revision}


def _row(after: Workflow, given: Values) -> Values:
    return {**columns_of(given)[0], "revision": after.revision, _KEY: after.id}


def _details(after: Workflow, given: Values) -> Values:
    return {**columns_of(given)[1], _KEY: after.id}


def _state(after: Workflow, given: Values) -> Values:
    changed = {"status": "status", "resolved": "resolved_by_user"}
    return {column: given[name] for column, name in changed.items() if name in given} | {_KEY: after.id}


def _alike(parts: Iterable[Values]) -> list[list[Values]]:
    """What writes the same columns, together; what writes none is left out."""
    groups: dict[frozenset[str], list[Values]] = defaultdict(list)
    for values in parts:
        if len(values) > 1:
            groups[frozenset(values)].append(values)
    return list(groups.values())


def _statement(table: Table, column: Any, values: Values) -> Any:
    return (
        update(table)
        .where(column == bindparam(_KEY))
        .values({name: bindparam(name) for name in values if name != _KEY})
    )


async def _counted(connection: AsyncConnection, changes: Iterable[tuple[Workflow, Workflow]]) -> None:
    moved: Counter[State] = Counter()
    for before, after in changes:
        moved[_state_of(before)] -= 1
        moved[_state_of(after)] += 1
    for state in sorted(moved):  # always in the same order, so that two who count do not wait for each other
        if moved[state]:
            await count(connection, state, moved[state])


def _state_of(workflow: Workflow) -> State:
    about = workflow.workflow_definition
    return State(about.name, about.version, workflow.status.value, workflow.resolved_by_user)
