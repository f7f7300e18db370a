"""Writing down what Step Functions says of executions, and what follows from it."""

from collections.abc import Callable, Mapping
from typing import Any

import anyio
import structlog

from workers.manager.errors import RevisionError, TerminalStatusError
from workers.manager.model import Change, Status, Workflow, WorkflowDefinition
from workers.manager.observing import Observer, change_of, explained
from workers.manager.store.interface import Store
from workers.manager.translation.names import Identity, first_state
from workers.stepfunctions.account import Account
from workers.stepfunctions.protocol import RefusedError

log = structlog.get_logger(__name__)

_TRIES = 5
"""How often a workflow is read again that others change at the same time."""
_BATCH = 100
"""Workflows that are written in one transaction: others wait that long."""
_FRESH = 2.0
"""Seconds after which what was read of a workflow is no ground to stop it: this process may have been paused."""
_CAUSE_LIMIT = 32_768
_REMEMBERED = 10_000

Ended = Callable[[Workflow], None]
"""Called with a workflow that has just ended, for others to go on."""


class Recorder:
    """Looks at executions and keeps what is news.

    It may look twice, late, or while others do: the store takes only what does not go back. `ended` is called with each
    workflow whose end was written here; `puzzled` with the id of one that has ended and of which it is not known why,
    or with what output.
    """

    def __init__(
        self,
        store: Store,
        account: Account,
        observer: Observer,
        *,
        ended: Ended | None = None,
        puzzled: Callable[[str], None] | None = None,
    ) -> None:
        self._store = store
        self._account = account
        self._observer = observer
        self._ended = ended
        self._puzzled = puzzled
        self._first_states: dict[str | None, str] = {}

    async def refresh(self, workflow_id: str, *, jobs: bool = False) -> Workflow:
        """The workflow after a look at its execution; with `jobs`, and at its history.

        If somebody cancelled it and Step Functions has not heard of it, it is stopped now. Raises `NotFoundError` and
        `ServiceError`.
        """
        for _ in range(_TRIES):
            before = await self._store.workflow(workflow_id)
            if (change := await self._observer.observe(before, jobs=jobs)) is None:
                kept = before
                break
            try:
                # What was decided on what was read must not meet another state: an execution that is missing, above
                # all, may have been started meanwhile.
                kept = await self._store.update_workflow(workflow_id, change, revision=before.revision)
            except RevisionError:
                continue
            except TerminalStatusError:
                return await self._store.workflow(workflow_id)
            self._follow(before, kept)
            break
        else:
            return await self._store.workflow(workflow_id)
        if kept.status is Status.RUNNING and kept.cancel_reason is not None:
            await self.stop(kept)
        return kept

    async def record(self, found: Mapping[str, Mapping[str, Any]]) -> int:
        """Keeps what items of lists, or events, say of workflows, by their ids; returns of how many it was news.

        What is said of executions that are no workflows of ours is passed over. Raises `StoreUnavailableError`.
        """
        news = 0
        ids = list(found)
        for first in range(0, len(ids), _BATCH):
            left = set(ids[first : first + _BATCH])
            for _ in range(_TRIES):
                changes = await self._changes(left, found)
                done = await self._store.update_workflows(list(changes.values())) if changes else []
                for kept in done:
                    self._follow(changes[kept.id][0], kept)
                news += len(done)
                left = changes.keys() - {kept.id for kept in done}
                if not left:
                    break
        return news

    async def stop(self, workflow: Workflow) -> None:
        """Stops the execution of a workflow that somebody has cancelled, if that still holds.

        It is read once more just before: who was paused since must not stop a run that was redriven meanwhile. Raises
        `ServiceError`.
        """
        fresh = False
        while not fresh:
            begun = anyio.current_time()
            workflow = await self._store.workflow(workflow.id)
            fresh = anyio.current_time() - begun < _FRESH
        if workflow.status.terminal or workflow.cancel_reason is None:
            return
        cause = workflow.cancel_reason[:_CAUSE_LIMIT] or None
        try:
            await self._account.call("StopExecution", executionArn=workflow.execution_arn, cause=cause)
        except RefusedError as error:
            log.info("workflow ended before it was stopped", workflow=workflow.id, error=error.code)

    async def _changes(
        self, ids: set[str], found: Mapping[str, Mapping[str, Any]]
    ) -> dict[str, tuple[Workflow, Change]]:
        changes = {}
        for before in await self._store.many_workflows(ids):
            change = change_of(before, found[before.id])
            if change is not None and await self._is_its_own(before, found[before.id]["executionArn"]):
                changes[before.id] = before, change
        return changes

    async def _is_its_own(self, workflow: Workflow, execution: str) -> bool:
        """Whether it is the execution of the workflow: others, a nested one above all, may have the same name."""
        if workflow.execution_arn is not None:
            return workflow.execution_arn == execution
        about = workflow.workflow_definition
        start_at = workflow.start_at or await self._first_state(about)
        machine = Identity.of(about, workflow.namespace, start_at).machine
        return self._account.place.execution(machine, workflow.id) == execution

    async def _first_state(self, about: WorkflowDefinition) -> str:
        """Of a version of a definition, which never changes."""
        if (found := self._first_states.get(about.id)) is None:
            definition = await self._store.definition(about.name, about.version)
            found = self._first_states[about.id] = first_state(definition.state_machine or {})
            if len(self._first_states) > _REMEMBERED:
                self._first_states.pop(next(iter(self._first_states)))
        return found

    def _follow(self, before: Workflow, kept: Workflow) -> None:
        if before.status.terminal or not kept.status.terminal:
            return
        definition = kept.workflow_definition
        log.info(
            "workflow ended",
            workflow=kept.id,
            definition=definition.name,
            version=definition.version,
            status=str(kept.status),
            failed_job=kept.last_job and kept.last_job.state,
        )
        if self._puzzled and not explained(kept):
            self._puzzled(kept.id)
        if self._ended:
            self._ended(kept)
