"""What every store of the manager does, whatever database is behind it.

All of it is safe for many writers at once, in one process or several. Every method raises `StoreUnavailableError` when
the database cannot be reached; what passes by itself within a moment has been tried again before.

The rule for a workflow's status: it is ordered by (redrive count, rank of the status), and a change that would go down
in that order is refused with `TerminalStatusError` and changes nothing. So what is late or arrives twice is harmless, a
redrive reopens a workflow that has ended, and nothing else does.
"""

from collections.abc import AsyncIterator, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol, Self

from workers.manager.model import (
    Change,
    Count,
    Launch,
    Page,
    Query,
    Queue,
    QueueState,
    StateResource,
    Status,
    Workflow,
    WorkflowDefinition,
)


@dataclass(frozen=True, slots=True)
class IdempotencyKey:
    """What a caller named a request, so that the same request twice is done once."""

    key: str
    fingerprint: str
    """A hash of the request: the same key with another one is refused."""
    expires: datetime

    @property
    def name(self) -> str:
        """The key as its caller knows it: before it may stand what it is for, in a line of its own."""
        return self.key.rpartition("\n")[2]


@dataclass(frozen=True, slots=True)
class Unfinished:
    """As much of a workflow that has not ended as is needed to look after it."""

    id: str
    status: Status
    redrive_count: int
    launch: Launch
    execution_arn: str | None
    created_at: datetime
    last_updated: datetime
    revision: int
    cancel_reason: str | None


@dataclass(frozen=True, slots=True)
class Tally:
    """How many workflows of a definition were created from a time on, within one step, and have a status now."""

    workflow_definition_name: str
    status: Status
    since: datetime
    """The beginning of the step."""
    count: int


@dataclass(frozen=True, slots=True)
class Guard:
    """A workflow that must not have changed since it was read, though it is not what is written."""

    workflow_id: str
    revision: int


@dataclass(frozen=True, slots=True)
class Claim:
    """Who starts an execution now. When the time is over and it has not started, another one may try."""

    owner: str
    until: datetime


@dataclass(frozen=True, slots=True)
class Lease:
    """The right of one process to do some work, until it expires or is given back."""

    name: str
    owner: str
    token: int
    """Grows with every new holder: a late write of an old holder can be told from one of the present holder."""
    expires: datetime


class DefinitionStore(Protocol):
    """Definitions and their versions."""

    async def save_definition(
        self, definition: WorkflowDefinition, *, version_id: str | None = None
    ) -> WorkflowDefinition:
        """Keeps a new definition as version 0, with a new id and the present time. Raises `ConflictError`.

        `version_id`: the id to give it. Where a version of the definition has that, nothing is written, and it is
        returned.
        """

    async def update_definition(
        self, definition: WorkflowDefinition, *, version_id: str | None = None
    ) -> WorkflowDefinition:
        """Keeps the next version of a definition, with a new id and the present time. Raises `NotFoundError`.

        `version_id`: as for a new definition.
        """

    async def definition(self, name: str, version: int | None = None) -> WorkflowDefinition:
        """One version, the latest one by default. Raises `NotFoundError`."""

    async def definitions(self) -> list[WorkflowDefinition]:
        """The latest version of each, by name."""

    async def definition_versions(self, name: str) -> list[WorkflowDefinition]:
        """All versions, the first one first. Raises `NotFoundError`."""

    async def deprecate_definition(self, name: str, version: int | None = None, *, deprecated: bool = True) -> None:
        """Marks one version, or all, or takes the mark away. Raises `NotFoundError`."""

    async def delete_definition(self, name: str) -> None:
        """Deletes all its versions. Raises `NotFoundError`, and `ConflictError` while there are workflows of it."""


class StateResourceStore(Protocol):
    """The registry of resources."""

    async def save_state_resource(self, resource: StateResource) -> StateResource:
        """Keeps it, in place of one of the same namespace and name, with the present time."""

    async def state_resource(self, namespace: str, name: str) -> StateResource:
        """Raises `NotFoundError`."""

    async def state_resources(self, namespace: str | None = None) -> list[StateResource]:
        """Those of a namespace, or all, by namespace and name."""

    async def delete_state_resource(self, namespace: str, name: str) -> None:
        """Raises `NotFoundError`."""


class WorkflowStore(Protocol):
    """Workflows. Their definition must be in the store; it comes back without its state machine."""

    async def save_workflow(
        self,
        workflow: Workflow,
        *,
        idempotency: IdempotencyKey | None = None,
        guard: Guard | None = None,
        claim: Claim | None = None,
    ) -> Workflow:
        """Keeps a new workflow and returns it as kept; `retries` of what it is a retry for then lists it.

        With a key that was used before for the same request, nothing is written and the workflow of that time is
        returned, if it is still there: its id tells. `guard`: `RevisionError` if that workflow has changed, else its
        revision grows.
        `claim`: if it is its turn, it is claimed at once; its launch tells, `STARTING` or `WAITING`.
        Raises `ConflictError` for an id that exists, `IdempotencyError`, `NotFoundError` for an unknown definition.
        """

    async def workflow(self, workflow_id: str) -> Workflow:
        """Raises `NotFoundError`."""

    async def update_workflow(self, workflow_id: str, change: Change, *, revision: int | None = None) -> Workflow:
        """Applies a change, whole or not at all, and returns what the workflow is then.

        Raises `TerminalStatusError` for a status that would go back, `RevisionError` if `revision` is not the present
        one, `NotFoundError`.
        """

    async def delete_workflow(self, workflow_id: str) -> None:
        """Raises `NotFoundError`."""

    async def delete_finished(self, before: datetime, *, limit: int = 1_000) -> int:
        """Deletes at most `limit` workflows that ended before that time; returns how many."""

    async def workflows(self, query: Query) -> Page:
        """A page of what was asked for. Raises `InvalidPageTokenError`."""

    def unfinished(self, *launch: Launch) -> AsyncIterator[Unfinished]:
        """All workflows that have not ended, the oldest first, with the launches named or any."""

    async def counts(self) -> list[Count]:
        """How many workflows there are; may be some seconds old."""

    async def tallies(self, since: datetime, step: timedelta) -> list[Tally]:
        """Workflows created since that time, counted by definition, by their status now, and by steps from then on.

        It costs as much as there are workflows since then.
        """


class RequestStore(Protocol):
    """Requests that their callers have named. Those for new workflows are kept with these: see `save_workflow`."""

    async def name_request(self, key: IdempotencyKey, result: str) -> str | None:
        """Keeps `result` as what the request is to bring about, until the key expires.

        Where the request came before, what was kept then is returned, and stays. Raises `IdempotencyError`.
        """


class BulkStore(Protocol):
    """Many workflows at once, for little more than one costs."""

    async def many_workflows(self, ids: Collection[str]) -> list[Workflow]:
        """Those of them that exist, in no order, without their `retries`; at most some hundred are asked for."""

    async def update_workflows(self, changes: Sequence[tuple[Workflow, Change]]) -> list[Workflow]:
        """Changes each workflow, given as it was read, and returns those that were changed, as they are then.

        Left out are those that somebody else has changed since or deleted, and those whose status would go back.
        """


class QueueStore(Protocol):
    """Queues, and who may start next."""

    async def save_queue(self, queue: Queue) -> None:
        """Sets the limit of a queue."""

    async def queues(self) -> list[QueueState]:
        """Every queue that has a limit or workflows that have not ended, by name."""

    async def delete_queue(self, name: str) -> None:
        """Takes the limit away. Raises `NotFoundError` if there is none."""

    async def claim_starts(self, claim: Claim, *, limit: int = 100) -> Sequence[Workflow]:
        """Takes workflows that may be started now: their launch becomes `STARTING`.

        In each queue the oldest first, as many as its limit allows beside those that run. What was claimed before by
        somebody who let the claim lapse comes again. Nobody gets what another one holds.
        """

    async def claim_start(self, workflow_id: str, claim: Claim) -> Workflow | None:
        """Takes this one, if it is its turn; None if it has to wait, is held by another or needs no start."""


class LeaseStore(Protocol):
    """Leases, by which several processes share work."""

    async def acquire_lease(self, name: str, owner: str, seconds: float) -> Lease | None:
        """Takes or renews a lease; None while another owner holds it."""

    async def release_lease(self, lease: Lease) -> None:
        """Gives it back; nothing happens if it is another owner's by now."""


class Store(
    DefinitionStore, StateResourceStore, WorkflowStore, RequestStore, BulkStore, QueueStore, LeaseStore, Protocol
):
    """All of it: an async context manager, because it holds connections."""

    async def __aenter__(self) -> Self:
        """Opens it, and makes or upgrades its tables where that is allowed."""

    async def __aexit__(self, *failure: object) -> None:
        """Closes it."""
