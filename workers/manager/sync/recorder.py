"""Writing down what Step Functions says of executions, and what follows from it."""

from collections.abc import Callable, Mapping
from typing import Any

import structlog

from workers.manager.errors import NotFoundError, RevisionError, TerminalStatusError
from workers.manager.model import Status, Workflow
from workers.manager.observing import Observer, change_of
from workers.manager.store.interface import Store
from workers.stepfunctions.account import Account
from workers.stepfunctions.protocol import RefusedError

log = structlog.get_logger(__name__)

_TRIES = 5
"""How often a workflow is read again that others change at the same time."""

Ended = Callable[[Workflow], None]
"""Called with a workflow that has just ended, for others to go on."""


class Recorder:
    """Looks at executions and keeps what is news.

    It may look twice, late, or while others do: the store takes only what does not go back.
    """

    def __init__(self, store: Store, account: Account, observer: Observer, *, ended: Ended | None = None) -> None:
        self._store = store
        self._account = account
        self._observer = observer
        self._ended = ended

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
            await self._stop(kept)
        return kept

    async def record(self, workflow_id: str, found: Mapping[str, Any]) -> bool:
        """Keeps the status in an item of ListExecutions; whether that was news of a workflow of ours."""
        try:
            before = await self._store.workflow(workflow_id)
            if (change := change_of(before, found)) is None:
                return False
            self._follow(before, await self._store.update_workflow(workflow_id, change))
        except (TerminalStatusError, NotFoundError):
            return False
        return True

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
        if self._ended:
            self._ended(kept)

    async def _stop(self, workflow: Workflow) -> None:
        try:
            await self._account.call("StopExecution", executionArn=workflow.execution_arn, cause=workflow.cancel_reason)
        except RefusedError as error:
            log.info("workflow ended before it was stopped", workflow=workflow.id, error=error.code)
