"""Workflows to keep."""

from typing import Any
from uuid import uuid4

from workers.manager.model import Change, Status, Workflow, WorkflowDefinition
from workers.manager.store.interface import Store


def made(definition: WorkflowDefinition, **fields: Any) -> Workflow:
    return Workflow(id=fields.pop("id", None) or str(uuid4()), workflow_definition=definition, **fields)


async def saved(store: Store, definition: WorkflowDefinition, **fields: Any) -> Workflow:
    return await store.save_workflow(made(definition, **fields))


async def ended(store: Store, definition: WorkflowDefinition, status: Status, **fields: Any) -> Workflow:
    """A workflow that was kept and has got a status."""
    change = {name: fields.pop(name) for name in ("resolved_by_user", "stopped_at") if name in fields}
    kept = await saved(store, definition, **fields)
    return await store.update_workflow(kept.id, Change(status=status, **change))
