"""What a workflow manager does that the embedded one cannot, because it keeps nothing but what Step Functions keeps."""

# ruff: noqa: ARG002 - the parameters are those of the interface

from collections.abc import AsyncIterator
from datetime import datetime
from typing import NoReturn

from workers.manager.errors import InvalidError
from workers.manager.model import Count, QueueState, StateResource, Workflow, WorkflowSummary
from workers.manager.requests import NewStateResource


class NotSupportedError(InvalidError):
    """The embedded manager cannot do that; the service can."""


def refuse(what: str, why: str) -> NoReturn:
    """Raises `NotSupportedError`."""
    raise NotSupportedError(f"the embedded manager does not support {what}: {why}")


_NO_STORE = "it keeps nothing but what Step Functions keeps"
_FUNCTIONS = "its resources are the functions of the application"
_NO_QUEUES = "Step Functions starts a workflow at once"


class Refused:
    """The methods that raise `NotSupportedError`; see `workers.manager.interface`."""

    async def deprecate_definition(self, name: str, version: int | None = None, *, deprecated: bool = True) -> None:
        """Not supported."""
        refuse("deprecate_definition", "leave the definition out of what the manager is given")

    async def delete_definition(self, name: str) -> None:
        """Not supported."""
        refuse("delete_definition", "delete its state machine with `workers machines delete`")

    async def resume_workflow(self, workflow_id: str, start_at: str, *, idempotency_key: str | None = None) -> Workflow:
        """Not supported."""
        refuse("resume_workflow", "redrive_workflow goes on where a workflow failed")

    async def resolve_workflow(self, workflow_id: str, *, idempotency_key: str | None = None) -> None:
        """Not supported."""
        refuse("resolve_workflow", _NO_STORE)

    async def delete_workflows(self, before: datetime) -> int:
        """Not supported."""
        refuse("delete_workflows", "Step Functions forgets executions 90 days after their end")

    async def counts(self) -> list[Count]:
        """Not supported."""
        refuse("counts", _NO_STORE)

    def changes(self) -> AsyncIterator[WorkflowSummary]:
        """Not supported."""
        refuse("changes", _NO_STORE)

    async def state_resources(self, namespace: str | None = None) -> list[StateResource]:
        """Not supported."""
        refuse("state_resources", _FUNCTIONS)

    async def state_resource(self, namespace: str, name: str) -> StateResource:
        """Not supported."""
        refuse("state_resource", _FUNCTIONS)

    async def put_state_resource(self, resource: NewStateResource) -> StateResource:
        """Not supported."""
        refuse("put_state_resource", _FUNCTIONS)

    async def delete_state_resource(self, namespace: str, name: str) -> None:
        """Not supported."""
        refuse("delete_state_resource", _FUNCTIONS)

    async def queues(self) -> list[QueueState]:
        """Not supported."""
        refuse("queues", _NO_QUEUES)

    async def put_queue(self, name: str, limit: int | None) -> QueueState:
        """Not supported."""
        refuse("put_queue", _NO_QUEUES)

    async def delete_queue(self, name: str) -> None:
        """Not supported."""
        refuse("delete_queue", _NO_QUEUES)
