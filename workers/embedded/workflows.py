"""Workflows as executions: started, looked at, listed and stopped, with nothing kept beside Step Functions."""

import json
from collections.abc import AsyncIterator, Mapping
from typing import Any
from uuid import uuid4

from anyio import to_thread

from workers.arns import check_name
from workers.embedded.definitions import Names
from workers.embedded.machines import Machines
from workers.embedded.refused import NotSupportedError
from workers.errors import UsageError
from workers.executions.history import history_items
from workers.manager.errors import AwsDeniedError, ConflictError, InvalidError, NotFoundError, UnavailableError
from workers.manager.jobs import read_events
from workers.manager.model import (
    DEFAULT_QUEUE,
    Launch,
    Page,
    Query,
    Status,
    Workflow,
    WorkflowDefinition,
    WorkflowSummary,
)
from workers.manager.observing import change_of, resources_of
from workers.manager.schemas import check_input
from workers.payloads.document import encode
from workers.stepfunctions.account import Account, is_missing
from workers.stepfunctions.protocol import DeniedError, RefusedError, ServiceError, TransientError

_SEPARATOR = ":"
"""Between definition and execution in the id of a workflow: AWS allows it in neither name."""
_STATUSES = {Status.RUNNING: "RUNNING", Status.SUCCEEDED: "SUCCEEDED", Status.CANCELLED: "ABORTED"}
_CAUSE_LIMIT = 32_768
_PAGE = 1_000


class EmbeddedWorkflows:
    """See `workers.manager.interface.Workflows`."""

    names: Names
    account: Account
    _machines: Machines

    async def definition(self, name: str, version: int | None = None) -> WorkflowDefinition:
        """The definition `name`."""
        raise NotImplementedError

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
        """Starts a workflow of the definition `name`, whose machine is registered with the first one.

        `input`: a JSON object, or the text of any JSON value. `idempotency_key` becomes the name of the execution: with
        the same input it starts one workflow. Raises `NotFoundError`; `InvalidError` for what it cannot do, all of it
        told at once; `ConflictError` for a definition that is another in Step Functions, and for a key that was used.
        """
        text = (input or "{}") if isinstance(input, str) else encode(dict(input)).decode()
        self._check(text, namespace, queue, tags)
        definition = await self.definition(name, version)
        if definition.input_schema is not None:
            await to_thread.run_sync(check_input, json.loads(text), definition.input_schema)
        try:
            execution = check_name(idempotency_key or str(uuid4()), "execution")
            machine = await self._machines.of(self.account, definition)
            answer = await self.account.call(
                "StartExecution", created=machine.created, stateMachineArn=machine.arn, name=execution, input=text
            )
        except UsageError as error:
            raise InvalidError(str(error)) from error
        except ServiceError as error:
            if error.code != "ExecutionAlreadyExists":
                raise _said(error) from error
            return await self._started_before(definition, execution, text)
        started = answer["startDate"]
        return Workflow(
            id=f"{name}{_SEPARATOR}{execution}",
            workflow_definition=definition,
            status=Status.RUNNING,
            created_at=started,
            last_updated=started,
            namespace=self.names.environment,
            input=text,
            launch=Launch.STARTED,
            execution_arn=answer["executionArn"],
        )

    async def workflow(self, workflow_id: str, *, history: bool = False) -> Workflow:
        """A workflow as it is now; with `history`, with its jobs. Raises `NotFoundError`, `UnavailableError`."""
        definition, arn = await self._find(workflow_id)
        try:
            found = await self.account.call("DescribeExecution", executionArn=arn)
            workflow = self._read(definition, found)
            if not (history or workflow.status is Status.FAILED):
                return workflow
            items = [item async for item in history_items(self.account, arn)]
        except ServiceError as error:
            raise (NotFoundError(workflow_id) if is_missing(error) else _said(error)) from error
        story = read_events(items, resources=resources_of(definition), namespace=self.names.environment)
        return workflow.model_copy(update={"jobs": story.jobs if history else None, "last_job": story.last_job})

    async def refresh_workflow(self, workflow_id: str) -> Workflow:
        """A workflow with its jobs: it is always asked of Step Functions."""
        return await self.workflow(workflow_id, history=True)

    async def workflows(self, query: Query) -> Page:
        """A page of the workflows of one definition, the newest first.

        Step Functions can choose by definition and status only: anything else raises `NotSupportedError`.
        """
        name = _listed(query)
        definition = await self.definition(name)
        arn = self.account.state_machine(self.names.own(name))
        wanted = _STATUSES.get(query.status[0]) if len(query.status) == 1 else None
        items: list[WorkflowSummary] = []
        token = query.page_token
        while True:
            try:
                answer = await self.account.call(
                    "ListExecutions",
                    stateMachineArn=arn,
                    statusFilter=wanted,
                    maxResults=min(query.limit - len(items), _PAGE),
                    nextToken=token,
                )
            except ServiceError as error:
                if is_missing(error):  # nothing was ever started
                    return Page(items=())
                raise _said(error) from error
            found = (self._read(definition, item) for item in answer["executions"])
            items += [_summary(one) for one in found if not query.status or one.status in query.status]
            token = answer.get("nextToken")
            if token is None or len(items) >= query.limit:
                return Page(items=tuple(items), next_page_token=token)

    async def all_workflows(self, query: Query) -> AsyncIterator[WorkflowSummary]:
        """What `query` asks for, over all pages."""
        while True:
            page = await self.workflows(query)
            for workflow in page.items:
                yield workflow
            if page.next_page_token is None:
                return
            query = query.model_copy(update={"page_token": page.next_page_token})

    async def cancel_workflow(self, workflow_id: str, reason: str, *, idempotency_key: str | None = None) -> None:
        """Stops a workflow; `idempotency_key` is of no use here. Raises `InvalidError` for one that has ended."""
        del idempotency_key
        workflow = await self.workflow(workflow_id)
        if workflow.status.terminal:
            raise InvalidError(f"Cancellation not allowed. Workflow {workflow_id} is {workflow.status}")
        try:
            await self.account.call(
                "StopExecution",
                executionArn=workflow.execution_arn,
                error="CancelWorkflow",
                cause=reason[:_CAUSE_LIMIT] or None,
            )
        except ServiceError as error:
            raise _said(error) from error

    async def redrive_workflow(self, workflow_id: str, *, idempotency_key: str | None = None) -> Workflow:
        """Lets a workflow go on where it failed or was cancelled. Raises `ConflictError` for one that cannot.

        `idempotency_key`: Step Functions knows the last ten of an execution for fifteen minutes (RedriveExecution).
        """
        _, arn = await self._find(workflow_id)
        try:
            token = idempotency_key or str(uuid4())
            await self.account.call("RedriveExecution", executionArn=arn, clientToken=token)
        except RefusedError as error:
            if is_missing(error):
                raise NotFoundError(workflow_id) from error
            raise ConflictError(f"workflow {workflow_id} cannot be redriven: {error}") from error
        except ServiceError as error:
            raise _said(error) from error
        return await self.workflow(workflow_id)

    def _check(self, text: str, namespace: str, queue: str, tags: Mapping[str, str] | None) -> None:
        problems = []
        try:
            json.loads(text)
        except ValueError as error:
            problems.append(f"input is not valid JSON: {error}")
        if namespace not in {"", self.names.environment}:
            problems.append(f"namespace is {namespace!r}, and this manager is for {self.names.environment!r}")
        if queue not in {"", DEFAULT_QUEUE}:
            problems.append(f"queue is {queue!r}, and there are no queues")
        if tags:
            problems.append("tags are given, and executions have none")
        if problems:
            raise InvalidError("; ".join(problems), problems=[{"message": problem} for problem in problems])

    async def _find(self, workflow_id: str) -> tuple[WorkflowDefinition, str]:
        """The definition and the ARN of the execution of a workflow."""
        name, separator, execution = workflow_id.rpartition(_SEPARATOR)
        if not separator or not execution:
            raise NotFoundError(workflow_id)
        try:
            definition = await self.definition(name)
        except NotFoundError:
            raise NotFoundError(workflow_id) from None
        return definition, self.account.place.execution(self.names.full(name), execution)

    async def _started_before(self, definition: WorkflowDefinition, execution: str, text: str) -> Workflow:
        """The workflow that has the name already, if it was started with the same input."""
        known = await self.workflow(f"{definition.name}{_SEPARATOR}{execution}")
        if json.loads(known.input) != json.loads(text):
            raise ConflictError(f"{execution!r} was used before, with another input")
        return known

    def _read(self, definition: WorkflowDefinition, found: Mapping[str, Any]) -> Workflow:
        """The workflow in an answer of DescribeExecution, or in an item of a list."""
        updated = found.get("stopDate") or found["startDate"]
        workflow = Workflow(
            id=f"{definition.name}{_SEPARATOR}{found['name']}",
            workflow_definition=definition,
            created_at=found["startDate"],
            last_updated=updated,
            namespace=self.names.environment,
            input=found.get("input", ""),
            execution_arn=found["executionArn"],
        )
        change = change_of(workflow, found)
        return workflow.model_copy(update=change.given() if change else {}).model_copy(update={"last_updated": updated})


def _listed(query: Query) -> str:
    """The definition whose workflows are asked for."""
    plain = Query(
        workflow_definition_name=query.workflow_definition_name,
        status=query.status,
        limit=query.limit,
        page_token=query.page_token,
    )
    other = [name for name in Query.model_fields if getattr(query, name) != getattr(plain, name)]
    if other:
        raise NotSupportedError(
            f"the embedded manager does not support {', '.join(other)}: Step Functions lists the workflows of a "
            "definition by status alone, the newest first"
        )
    if query.workflow_definition_name is None:
        raise InvalidError("workflow_definition_name is missing: the workflows of one definition can be listed")
    return query.workflow_definition_name


def _summary(workflow: Workflow) -> WorkflowSummary:
    """The workflow without what lists leave out."""
    fields = {name: getattr(workflow, name) for name in WorkflowSummary.model_fields}
    return WorkflowSummary.model_construct(**{**fields, "workflow_definition": workflow.workflow_definition.brief()})


def _said(error: ServiceError) -> Exception:
    """What Step Functions says, in the manager's words."""
    if isinstance(error, DeniedError):
        return AwsDeniedError.of(error)
    if isinstance(error, TransientError):
        return UnavailableError(str(error))
    return InvalidError(str(error))
