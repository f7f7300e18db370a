"""The service's part for workflows: starting, looking, stopping, resolving, redriving."""

from collections.abc import AsyncIterator, Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import anyio
import structlog

from workers.errors import UsageError
from workers.manager.batch.starting import read_arguments
from workers.manager.changes import Changes
from workers.manager.errors import (
    AwsDeniedError,
    ConflictError,
    InvalidError,
    RevisionError,
    TerminalStatusError,
    UnavailableError,
)
from workers.manager.launching import Launcher, read_input
from workers.manager.model import (
    DEFAULT_QUEUE,
    Change,
    Count,
    Launch,
    Page,
    Query,
    Status,
    Workflow,
    WorkflowDefinition,
    WorkflowSummary,
    now,
)
from workers.manager.naming import named_request, told_before
from workers.manager.observing import explained
from workers.manager.schemas import check_input
from workers.manager.store.interface import Guard, IdempotencyKey, Store
from workers.manager.sync.sync import Sync
from workers.payloads.document import encode
from workers.stepfunctions.account import Account
from workers.stepfunctions.protocol import DeniedError, RefusedError, ServiceError, TransientError

log = structlog.get_logger(__name__)

_LAUNCH_WITHIN = 5.0
"""Seconds for which a caller waits for StartExecution; then the workflow stays queued, and the starter goes on."""
_LOOK_WITHIN = 5.0
"""Seconds for which a caller waits for news of a workflow; after that it gets what is known."""
_READ_WITHIN = 25.0
"""Seconds for which a caller waits for a history: one of 25,000 events comes in twenty-five answers, one by one."""
_FRESH = 1.0
"""Seconds for which what Step Functions said of a workflow is news enough."""
_PUZZLES = timedelta(days=1)
"""How long after its end it is asked what came out of a workflow, where that is not known."""
_NOBODY = Guard("nobody", -1)
"""A workflow that there is none of: what it guards is never written."""
_REFUSED = "refused"
"""Kept of a request in place of the run of which it spoke."""
_TRIES = 10
_BATCH = 500


class WorkflowService:
    """Workflows; see `workers.manager.interface.Workflows`."""

    store: Store
    account: Account
    launcher: Launcher
    sync: Sync
    recent_changes: Changes
    looked: dict[str, float]
    """When Step Functions was last asked about a workflow that had not ended."""

    async def start_workflow(
        self,
        name: str,
        input: Mapping[str, Any] | str = "",  # noqa: A002 - the API's own word
        *,
        version: int | None = None,
        namespace: str = "",
        queue: str = DEFAULT_QUEUE,
        tags: Mapping[str, str] | None = None,
        idempotency_key: str | None = None,
    ) -> Workflow:
        """Starts a workflow of the definition `name`, of its latest version without a number.

        Raises `NotFoundError`; `ConflictError` for a deprecated one; `InvalidError` for an input or a name that cannot
        be, an input that does not fit the definition's schema, and what Step Functions says against it: then nothing is
        kept.
        """
        definition = await self.store.definition(name, version)
        text = input if isinstance(input, str) else encode(dict(input)).decode()
        text, document = _read(text, definition)
        workflow = Workflow(
            id=str(uuid4()),
            workflow_definition=definition,
            namespace=namespace,
            queue=queue or DEFAULT_QUEUE,
            input=text,
            tags={**definition.default_tags, **(tags or {})},
        )
        key = (
            named_request(idempotency_key, name, version, text, namespace, queue, tags or {})
            if idempotency_key
            else None
        )
        try:
            await _check_fit(document, definition)
        except (ConflictError, InvalidError):
            if key and (before := await self.begun_before(workflow, key)):
                return before
            raise
        return await self.begin(workflow, idempotency=key)

    async def begin(
        self, workflow: Workflow, *, idempotency: IdempotencyKey | None = None, guard: Guard | None = None
    ) -> Workflow:
        """Keeps a new workflow and starts it, if it is its turn."""
        await self.launcher.check(workflow)
        kept = await self.store.save_workflow(
            workflow, idempotency=idempotency, guard=guard, claim=self.sync.starter.claim()
        )
        if kept.id != workflow.id or kept.launch is not Launch.STARTING:
            return kept
        with anyio.move_on_after(_LAUNCH_WITHIN) as waited:
            try:
                return await self.launcher.start(
                    kept.model_copy(update={"workflow_definition": workflow.workflow_definition})
                )
            except (TransientError, UnavailableError) as error:
                log.warning("workflow not started yet", workflow=kept.id, error=str(error))
            except (InvalidError, ConflictError, UsageError, RefusedError, DeniedError) as error:
                with anyio.CancelScope(shield=True):
                    await self._withdraw(kept)
                self.sync.starter.wake()
                raise _said(error) from error
        if waited.cancelled_caught:
            self.sync.starter.go_on(kept)
        return kept

    async def begun_before(self, workflow: Workflow, key: IdempotencyKey) -> Workflow | None:
        """What the same request has begun when it came before; None if it did not: then nothing is kept of it."""
        unwritten = Workflow(id=str(uuid4()), workflow_definition=workflow.workflow_definition)
        try:
            return await self.store.save_workflow(unwritten, idempotency=key, guard=_NOBODY)
        except RevisionError:
            return None

    async def _withdraw(self, kept: Workflow) -> None:
        """Deletes what could not be started, unless another process has taken the start over while this one slept."""
        change = Change(status=Status.CANCELLED, launch=Launch.STARTED)
        try:
            await self.store.update_workflow(kept.id, change, revision=kept.revision)
        except RevisionError:
            return
        await self.store.delete_workflow(kept.id)

    async def workflow(self, workflow_id: str, *, history: bool = False) -> Workflow:
        """A workflow as it is now; with `history`, with its jobs. If AWS does not answer in time, as it was last."""
        known = await self.store.workflow(workflow_id)
        kept = known.jobs is not None and all(job.status.done for job in known.jobs)
        jobs = history and not (known.status.terminal and kept)
        if known.execution_arn is None or not (jobs or self._stale(known)):
            return known
        with anyio.move_on_after(_READ_WITHIN if jobs else _LOOK_WITHIN):
            try:
                return await self.sync.recorder.refresh(workflow_id, jobs=jobs)
            except (ServiceError, UnavailableError) as error:
                log.warning("workflow cannot be looked at", workflow=workflow_id, error=str(error))
        return known

    def _stale(self, workflow: Workflow) -> bool:
        """Whether Step Functions may know more: it runs, or of its end no more is known than a list tells."""
        if workflow.status.terminal and (explained(workflow) or workflow.last_updated < now() - _PUZZLES):
            return False
        time = anyio.current_time()
        if time - self.looked.pop(workflow.id, float("-inf")) < _FRESH:
            return False
        self.looked[workflow.id] = time
        if len(self.looked) > 10_000:
            self.looked.pop(next(iter(self.looked)))
        return True

    async def workflows(self, query: Query) -> Page:
        """A page of what `query` asks for."""
        return await self.store.workflows(query)

    async def all_workflows(self, query: Query) -> AsyncIterator[WorkflowSummary]:
        """What `query` asks for, over all pages."""
        while True:
            page = await self.store.workflows(query)
            for workflow in page.items:
                yield workflow
            if page.next_page_token is None:
                return
            query = query.model_copy(update={"page_token": page.next_page_token})

    async def cancel_workflow(self, workflow_id: str, reason: str, *, idempotency_key: str | None = None) -> None:
        """Stops a workflow. Raises `InvalidError` for one that succeeded or failed."""
        if idempotency_key:
            known = await self.store.workflow(workflow_id)
            run = await self._run_meant("cancel", known, idempotency_key, reason)
            if run is not None and run < known.redrive_count:
                return
        cancelled = await self._cancelled(workflow_id, reason)
        if cancelled.status.terminal:
            self.sync.starter.wake()
        elif cancelled.execution_arn:
            try:
                await self.sync.recorder.stop(cancelled)
            except TransientError as error:  # it is kept that it is to be stopped: that will be done
                log.warning("workflow not stopped yet", workflow=workflow_id, error=str(error))
            except DeniedError as error:
                raise _said(error) from error

    async def _cancelled(self, workflow_id: str, reason: str) -> Workflow:
        """The workflow, with what was asked written down: what happens later cannot lose it."""
        for _ in range(_TRIES):
            known = await self.store.workflow(workflow_id)
            if known.status in {Status.SUCCEEDED, Status.FAILED}:
                raise InvalidError(f"Cancellation not allowed. Workflow {workflow_id} is {known.status}")
            change: dict[str, Any] = {"resolved_by_user": True, "status_reason": reason, "cancel_reason": reason}
            if known.launch is Launch.WAITING:
                change |= {"status": Status.CANCELLED, "stopped_at": now(), "launch": Launch.STARTED}
            try:
                return await self.store.update_workflow(workflow_id, Change(**change), revision=known.revision)
            except RevisionError:
                continue
        raise ConflictError(f"workflow {workflow_id} is changed by many at the same time: try again")

    async def resolve_workflow(self, workflow_id: str, *, idempotency_key: str | None = None) -> None:
        """Says that nobody need look at it any more. Raises `ConflictError` where that was said before."""
        known = await self.store.workflow(workflow_id)
        # That a request is refused is kept too: it must not be told something else when it is repeated.
        meant = _REFUSED if known.resolved_by_user else str(known.redrive_count)
        before = await told_before(self.store, "resolve", idempotency_key, workflow_id, result=meant)
        if (before or meant) == _REFUSED:
            raise ConflictError(f"workflow {workflow_id} already resolved")
        if before is not None and (known.resolved_by_user or int(before) < known.redrive_count):
            return
        await self.store.update_workflow(workflow_id, Change(resolved_by_user=True))

    async def _run_meant(self, action: str, workflow: Workflow, key: str | None, *request: object) -> int | None:
        """Of which run of a workflow the same request spoke when it came first, as its redrive count; None if it is
        the first. What happened between the two must not be undone by the second."""
        run = str(workflow.redrive_count)
        before = await told_before(self.store, action, key, workflow.id, *request, result=run)
        return None if before is None else int(before)

    async def redrive_workflow(self, workflow_id: str, *, idempotency_key: str | None = None) -> Workflow:
        """Lets a workflow go on where it ended. Raises `ConflictError` for one that cannot be redriven."""
        known = await self.refresh(workflow_id)
        run = await self._run_meant("redrive", known, idempotency_key)
        if run is not None and run < known.redrive_count:
            return known
        if known.status not in {Status.FAILED, Status.CANCELLED} or known.execution_arn is None:
            raise ConflictError(f"workflow {workflow_id} is {known.status}: only what failed or was cancelled goes on")
        token = f"{workflow_id}-{known.redrive_count + 1}"
        try:
            await self.account.call("RedriveExecution", executionArn=known.execution_arn, clientToken=token)
        except RefusedError as error:
            raise ConflictError(f"workflow {workflow_id} cannot be redriven: {error}") from error
        except ServiceError as error:
            raise _said(error) from error
        change = Change(
            status=Status.RUNNING,
            redrive_count=known.redrive_count + 1,
            stopped_at=None,
            status_reason=None,
            cancel_reason=None,
            resolved_by_user=False,
            last_job=None,
        )
        try:
            return await self.store.update_workflow(workflow_id, change)
        except TerminalStatusError:  # it has ended again, and somebody was faster to write that down
            return await self.store.workflow(workflow_id)

    async def refresh_workflow(self, workflow_id: str) -> Workflow:
        """Reads its status and its jobs from Step Functions, whatever is known already."""
        return await self.refresh(workflow_id, jobs=True)

    async def refresh(self, workflow_id: str, *, jobs: bool = False) -> Workflow:
        """The workflow as Step Functions sees it now. Raises `UnavailableError` where it does not answer, and
        `AwsDeniedError`."""
        try:
            return await self.sync.recorder.refresh(workflow_id, jobs=jobs)
        except ServiceError as error:
            raise _said(error) from error

    async def delete_workflows(self, before: datetime) -> int:
        """Forgets workflows that ended before that time; returns how many."""
        deleted = 0
        while gone := await self.store.delete_finished(before, limit=_BATCH):
            deleted += gone
        return deleted

    async def counts(self) -> list[Count]:
        """How many workflows there are; may be some seconds old."""
        return await self.store.counts()

    async def changes(self) -> AsyncIterator[WorkflowSummary]:
        """Workflows as they change, from now on."""
        async with self.recent_changes.listen() as news:
            async for workflow in news:
                yield workflow


def _read(text: str, definition: WorkflowDefinition) -> tuple[str, Any]:
    """The input of a workflow, as it is kept and as it is meant. Raises `InvalidError`."""
    if definition.manager == "batch":
        arguments = read_arguments(text)
        return encode(arguments).decode(), arguments
    return text or "{}", read_input(text)


async def _check_fit(document: Any, definition: WorkflowDefinition) -> None:
    """Raises `ConflictError` or `InvalidError` where a definition starts nothing, or nothing with that input."""
    if definition.deprecated:
        raise ConflictError(f"{definition.name}@{definition.version} is deprecated: nothing new is started with it")
    if definition.input_schema is not None:
        await anyio.to_thread.run_sync(check_input, document, definition.input_schema)


def _said(error: Exception) -> Exception:
    """What others said against a request, as an error of this room."""
    if isinstance(error, DeniedError):
        return AwsDeniedError.of(error)
    if isinstance(error, TransientError):
        return UnavailableError(f"Step Functions: {error}")
    if isinstance(error, RefusedError | UsageError):
        return InvalidError(str(error))
    return error
