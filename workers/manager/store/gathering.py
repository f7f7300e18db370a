"""Changes that many tasks make at the same moment, written in one transaction."""

from collections.abc import Sequence
from dataclasses import dataclass

import anyio

from workers.manager.errors import ManagerError, StoreUnavailableError
from workers.manager.model import Change, Workflow
from workers.manager.store.interface import Store


@dataclass(eq=False, slots=True)
class _Entry:
    before: Workflow
    change: Change
    outcome: Workflow | ManagerError | None = None
    """None until it was written, or refused."""


class Gathered:
    """Who comes while others are written waits, and is written with all who have come by then."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._waiting: list[_Entry] = []
        self._lock = anyio.Lock()

    async def update(self, before: Workflow, change: Change) -> Workflow:
        """As `WorkflowStore.update_workflow`, for little where many do it; `before`: the workflow as it was read."""
        entry = _Entry(before, change)
        self._waiting.append(entry)
        try:
            async with self._lock:
                if entry in self._waiting:
                    batch, self._waiting = self._waiting, []
                    with anyio.CancelScope(shield=True):
                        await self._write(batch)
        finally:
            if entry in self._waiting:
                self._waiting.remove(entry)
        if isinstance(entry.outcome, Workflow):
            return entry.outcome
        raise entry.outcome or StoreUnavailableError(f"workflow {before.id} was not written with others")

    async def _write(self, batch: Sequence[_Entry]) -> None:
        try:
            changed = await self._store.update_workflows([(entry.before, entry.change) for entry in batch])
        except ManagerError as error:
            for entry in batch:
                entry.outcome = error
            return
        done = {workflow.id: workflow for workflow in changed}
        for entry in batch:
            try:
                # What somebody else has changed meanwhile is judged by what it is now.
                known = done.pop(entry.before.id, None)
                entry.outcome = known or await self._store.update_workflow(entry.before.id, entry.change)
            except ManagerError as error:
                entry.outcome = error
