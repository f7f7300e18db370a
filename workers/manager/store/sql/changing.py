"""Changes of workflows that were read and are locked: written with few statements, however many they are."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from functools import cache
from typing import Any, NamedTuple

from sqlalchemy import Column, Table, bindparam, update
from sqlalchemy.ext.asyncio import AsyncConnection

from workers.manager.model import Workflow
from workers.manager.store.sql import rows
from workers.manager.store.sql.counting import State, count_all
from workers.manager.store.sql.tables import details, tags, workflows
from workers.manager.store.stamps import Stamps

_KEY = "changed_id"
"""The parameter with the id of the workflow; no column is called so."""
_DETAILS = {"output", "status_reason", "cancel_reason", "last_job", "jobs"}
_TEXTS: dict[str, Callable[[Any], str | None]] = {"last_job": rows.job_text, "jobs": rows.jobs_text}

Values = dict[str, Any]


class Changed(NamedTuple):
    """A workflow before and after a change, and the fields that the change writes."""

    before: Workflow
    after: Workflow
    given: Values


def changed(before: Workflow, given: Values, stamps: Stamps) -> Changed:
    """What becomes of a workflow; `given`: what the change is allowed to write (see `allowed`)."""
    given = {name: value for name, value in given.items() if name != "resolved_by_user" or value is not None}
    given["last_updated"] = given.get("last_updated") or stamps.next()
    return Changed(before, before.model_copy(update=given | {"revision": before.revision + 1}), given)


async def write(connection: AsyncConnection, changes: Sequence[Changed]) -> None:
    """Writes the changes of different workflows, and counts them."""
    for table, column, parts in (
        (workflows, workflows.c.id, [_row(one) for one in changes]),
        (details, details.c.workflow_id, [_beside(one) for one in changes]),
        (tags, tags.c.workflow_id, [_state(one) for one in changes if one.after.tags]),
    ):
        for values in _alike(parts):
            await connection.execute(_statement(table, column, frozenset(values[0]) - {_KEY}), values)
    moved: dict[State, int] = defaultdict(int)
    for before, after, _ in changes:
        moved[_counted(before)] -= 1
        moved[_counted(after)] += 1
    await count_all(connection, moved)  # at the end: who counts the same waits for this transaction


def _row(change: Changed) -> Values:
    values = {name: value for name, value in change.given.items() if name not in _DETAILS}
    if "resolved_by_user" in values:
        values["resolved"] = values.pop("resolved_by_user")
    if values.get("launch") is not None:
        values |= {"claimed_by": None, "claimed_until": None}
    return values | {"revision": change.after.revision, _KEY: change.after.id}


def _beside(change: Changed) -> Values:
    given = {name: value for name, value in change.given.items() if name in _DETAILS}
    return {name: _text(name, value) for name, value in given.items()} | {_KEY: change.after.id}


def _text(name: str, value: Any) -> Any:
    return _TEXTS[name](value) if name in _TEXTS else value


def _state(change: Changed) -> Values:
    columns = {"status": "status", "resolved": "resolved_by_user"}
    given = change.given
    return {column: given[name] for column, name in columns.items() if name in given} | {_KEY: change.after.id}


def _alike(parts: Iterable[Values]) -> list[list[Values]]:
    """What writes the same columns, together; what writes none is left out."""
    groups: dict[frozenset[str], list[Values]] = defaultdict(list)
    for values in parts:
        if len(values) > 1:
            groups[frozenset(values)].append(values)
    return list(groups.values())


@cache
def _statement(table: Table, column: Column[Any], names: frozenset[str]) -> Any:
    return update(table).where(column == bindparam(_KEY)).values({name: bindparam(name) for name in sorted(names)})


def _counted(workflow: Workflow) -> State:
    about = workflow.workflow_definition
    return State(about.name, about.version, workflow.status.value, workflow.resolved_by_user)
