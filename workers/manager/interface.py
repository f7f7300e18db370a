"""What every workflow manager does: the service itself, the client of its REST API, the one inside of an application.

All raise the errors of `workers.manager.errors`: `NotFoundError`, `InvalidError` for what was asked in a wrong way,
`ConflictError` for what the present state does not allow, `UnavailableError` where trying again may help,
`AwsDeniedError` where AWS does not let the manager do it.
"""

from collections.abc import AsyncIterator, Mapping
from datetime import datetime
from typing import Any, Protocol

from workers.manager.model import (
    DEFAULT_QUEUE,
    Count,
    Page,
    Query,
    QueueState,
    StateResource,
    Workflow,
    WorkflowDefinition,
    WorkflowSummary,
)
from workers.manager.requests import NewStateResource, NewWorkflowDefinition


class Definitions(Protocol):
    """Definitions and their versions."""

    async def definitions(self) -> list[WorkflowDefinition]:
        """The latest version of each, by name."""

    async def definition(self, name: str, version: int | None = None) -> WorkflowDefinition:
        """One version; the latest without a number."""

    async def definition_versions(self, name: str) -> list[WorkflowDefinition]:
        """All versions, the first one first."""

    async def create_definition(
        self, definition: NewWorkflowDefinition, *, idempotency_key: str | None = None
    ) -> WorkflowDefinition:
        """Creates version 0 of a definition that does not exist yet.

        `idempotency_key`: the same key for the same request makes one version.
        """

    async def update_definition(
        self, definition: NewWorkflowDefinition, *, idempotency_key: str | None = None
    ) -> WorkflowDefinition:
        """Creates the next version of a definition that exists.

        `idempotency_key`: the same key for the same request makes one version.
        """

    async def deprecate_definition(self, name: str, version: int | None = None, *, deprecated: bool = True) -> None:
        """Says that nothing new is to be started with a version, or with any; or takes that back."""

    async def delete_definition(self, name: str) -> None:
        """Deletes all versions, if there are no workflows of it."""


class Workflows(Protocol):
    """Workflows."""

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

        `input`: a JSON object, or its text. `idempotency_key`: the same key for the same request starts it once.
        """

    async def workflow(self, workflow_id: str, *, history: bool = False) -> Workflow:
        """A workflow as it is now; with `history`, with its jobs."""

    async def workflows(self, query: Query) -> Page:
        """A page of what `query` asks for."""

    def all_workflows(self, query: Query) -> AsyncIterator[WorkflowSummary]:
        """What `query` asks for, over all pages."""

    async def cancel_workflow(self, workflow_id: str, reason: str, *, idempotency_key: str | None = None) -> None:
        """Stops a workflow.

        `idempotency_key`: the same key for the same request does not stop it again after it was redriven.
        """

    async def resume_workflow(self, workflow_id: str, start_at: str, *, idempotency_key: str | None = None) -> Workflow:
        """Starts a new workflow that goes on at the state `start_at` of one that has ended, with its input there.

        `idempotency_key`: the same key for the same request starts it once.
        """

    async def resolve_workflow(self, workflow_id: str, *, idempotency_key: str | None = None) -> None:
        """Says that nobody need look at it any more.

        `idempotency_key`: the same key for the same request is not refused because it was done, and resolves no failure
        of a later redrive.
        """

    async def redrive_workflow(self, workflow_id: str, *, idempotency_key: str | None = None) -> Workflow:
        """Lets a workflow that failed or was cancelled go on where it ended: what succeeded is not done again.

        `idempotency_key`: the same key for the same request redrives it once.
        """

    async def refresh_workflow(self, workflow_id: str) -> Workflow:
        """Reads its status and its jobs from Step Functions, whatever is known already."""

    async def delete_workflows(self, before: datetime) -> int:
        """Forgets workflows that ended before that time; returns how many."""

    async def counts(self) -> list[Count]:
        """How many workflows there are; may be some seconds old."""

    def changes(self) -> AsyncIterator[WorkflowSummary]:
        """Workflows as they change, from now on."""


class Registry(Protocol):
    """State resources and queues."""

    async def state_resources(self, namespace: str | None = None) -> list[StateResource]:
        """Those of a namespace, or all."""

    async def state_resource(self, namespace: str, name: str) -> StateResource:
        """One of them."""

    async def put_state_resource(self, resource: NewStateResource) -> StateResource:
        """Creates one, or replaces it."""

    async def delete_state_resource(self, namespace: str, name: str) -> None:
        """Deletes one."""

    async def queues(self) -> list[QueueState]:
        """Those that have a limit, or workflows that have not ended."""

    async def put_queue(self, name: str, limit: int | None) -> QueueState:
        """Sets how many of its workflows may run at a time; None is any number."""

    async def delete_queue(self, name: str) -> None:
        """Takes the limit away."""


class WorkflowManager(Definitions, Workflows, Registry, Protocol):
    """All of it."""
