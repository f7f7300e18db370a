"""What the manager keeps and shows: definitions, workflows, jobs, queues. JSON names as its REST API has them."""

from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, PlainSerializer, WithJsonSchema
from pydantic.alias_generators import to_camel

DEFAULT_QUEUE = "default"
"""Where a workflow waits that names no queue."""


def now() -> datetime:
    """The time, in the whole milliseconds that are kept."""
    return _milliseconds(datetime.now(UTC))


def _milliseconds(time: datetime) -> datetime:
    try:
        time = time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)
    except OverflowError:
        raise ValueError(f"{time} is before the first year or after the last one in UTC") from None
    return time.replace(microsecond=time.microsecond // 1_000 * 1_000)


def _text(time: datetime) -> str:
    return f"{time:%Y-%m-%dT%H:%M:%S}.{time.microsecond // 1_000:03d}Z"


Time = Annotated[
    datetime,
    AfterValidator(_milliseconds),
    PlainSerializer(_text, return_type=str, when_used="json"),
    WithJsonSchema({"type": "string", "format": "date-time", "examples": ["2026-01-31T12:00:00.000Z"]}),
]
"""A time in UTC with milliseconds, written `2026-01-31T12:00:00.000Z`."""


class Model(BaseModel):
    """The root of all models: immutable, snake_case here and camelCase in JSON, where what is None is left out."""

    model_config = ConfigDict(
        alias_generator=to_camel,
        validate_by_name=True,
        validate_by_alias=True,
        serialize_by_alias=True,
        frozen=True,
        extra="ignore",
    )

    def to_json(self) -> dict[str, Any]:
        """As the REST API shows it."""
        return self.model_dump(mode="json", exclude_none=True)


class Status(StrEnum):
    """The status of a workflow."""

    QUEUED = "queued"
    RUNNING = "running"
    FAILED = "failed"
    SUCCEEDED = "succeeded"
    CANCELLED = "cancelled"

    @property
    def terminal(self) -> bool:
        """Whether nothing but a redrive changes it any more."""
        return self.rank == 2

    @property
    def rank(self) -> int:
        """Statuses of one run of an execution only ever go up: queued 0, running 1, the terminal ones 2."""
        return {Status.QUEUED: 0, Status.RUNNING: 1}.get(self, 2)


class JobStatus(StrEnum):
    """The status of a job."""

    CREATED = "created"
    QUEUED = "queued"
    WAITING_FOR_DEPS = "waiting_for_deps"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    ABORTED_DEPS_FAILED = "aborted_deps_failed"
    ABORTED_BY_USER = "aborted_by_user"

    @property
    def done(self) -> bool:
        """Whether it has ended."""
        return self in {
            JobStatus.SUCCEEDED,
            JobStatus.FAILED,
            JobStatus.ABORTED_DEPS_FAILED,
            JobStatus.ABORTED_BY_USER,
        }

    @property
    def has_started(self) -> bool:
        """Whether its input is known to be what the state was given."""
        return self in {JobStatus.RUNNING, JobStatus.SUCCEEDED, JobStatus.FAILED, JobStatus.ABORTED_BY_USER}


class Launch(StrEnum):
    """How far the start of a workflow's execution has come."""

    WAITING = "waiting"
    """In its queue: nobody has tried to start it."""
    STARTING = "starting"
    """StartExecution may have been sent. If whoever sent it died, it is sent again: the name makes it one start."""
    STARTED = "started"
    """The execution is known to exist, or to have been refused for good."""


class ResourceType(StrEnum):
    """What a state resource is."""

    JOB_DEFINITION = "JobDefinitionARN"
    ACTIVITY = "ActivityARN"
    LAMBDA_FUNCTION = "LambdaFunctionARN"
    TASK = "TaskARN"


Manager = Literal["step-functions", "batch"]


class WorkflowDefinition(Model):
    """One version of a definition. Versions never change; only whether one is deprecated does."""

    id: str | None = None
    name: str
    version: int = 0
    created_at: Time | None = None
    manager: Manager = "step-functions"
    state_machine: dict[str, Any] | None = None
    """The machine as it was given, with resources in short; None where it is left out, as in lists of workflows."""
    default_tags: dict[str, str] = Field(default_factory=dict)
    deprecated: bool = False
    """Nothing new is to be started with it."""
    input_schema: dict[str, Any] | None = None
    """The JSON Schema of its workflows' inputs, if it has one; left out where the machine is."""

    def brief(self) -> Self:
        """Without what lists of workflows leave out."""
        return self.model_copy(update={"state_machine": None, "input_schema": None})


class StateResource(Model):
    """An entry of the registry of resources that states name."""

    name: str
    namespace: str = ""
    uri: str = ""
    type: ResourceType = ResourceType.ACTIVITY
    last_updated: Time | None = None


class JobResource(Model):
    """What ran a job."""

    name: str = ""
    namespace: str = ""
    type: ResourceType = ResourceType.ACTIVITY
    last_updated: Time | None = None


class Attempt(Model):
    """A failed try of a job that was retried."""

    created_at: Time | None = None
    started_at: Time | None = None
    stopped_at: Time | None = None
    container_instance_arn: str | None = Field(default=None, alias="containerInstanceARN")
    task_arn: str | None = Field(default=None, alias="taskARN")
    reason: str | None = None
    exit_code: int | None = None


class Job(Model):
    """One visit of one state."""

    id: str
    """The id of the event of its history that began it."""
    status: JobStatus = JobStatus.CREATED
    state: str = ""
    state_resource: JobResource | None = None
    created_at: Time | None = None
    started_at: Time | None = None
    stopped_at: Time | None = None
    input: str | None = None
    output: str | None = None
    status_reason: str | None = None
    container: str | None = None
    """The name of the worker that took it."""
    attempts: tuple[Attempt, ...] = ()
    name: str | None = None
    queue: str | None = None


class WorkflowSummary(Model):
    """A workflow as lists show it."""

    id: str
    """Also the name of its execution."""
    workflow_definition: WorkflowDefinition
    """In lists without its state machine."""
    status: Status = Status.QUEUED
    created_at: Time = Field(default_factory=now)
    last_updated: Time = Field(default_factory=now)
    stopped_at: Time | None = None
    namespace: str = ""
    queue: str = DEFAULT_QUEUE
    input: str = "{}"
    """A JSON object, as text; as it was given."""
    tags: dict[str, str] = Field(default_factory=dict)
    resolved_by_user: bool = False
    """Nobody need look at it any more."""
    retry_for: str | None = None
    """The workflow that this one resumed."""
    retries: tuple[str, ...] = ()
    """The workflows that resumed this one."""
    last_job: Job | None = None
    """The last job of a workflow that failed."""
    start_at: str | None = None
    """The state that it begins with, where that is not the definition's own first one."""
    redrive_count: int = 0
    """How often its execution has been redriven."""
    launch: Launch = Launch.WAITING
    execution_arn: str | None = None
    cancel_reason: str | None = None
    """Why it is to be stopped, from the moment somebody asked for it."""
    revision: int = 0
    """Counts the changes in the store."""


class Workflow(WorkflowSummary):
    """A workflow with everything."""

    status_reason: str | None = None
    output: str | None = None
    jobs: tuple[Job, ...] | None = None
    """None until they were read from its history."""


class Change(Model):
    """What a workflow is to become: only what is given is written, also where it is None.

    `status` is compared by (redrive count, rank) with what is stored; without `redrive_count` it speaks of the stored
    one. `last_updated` is the time of the change unless it is given.
    """

    status: Status | None = None
    redrive_count: int | None = None
    status_reason: str | None = None
    stopped_at: Time | None = None
    last_updated: Time | None = None
    resolved_by_user: bool | None = None
    output: str | None = None
    last_job: Job | None = None
    jobs: tuple[Job, ...] | None = None
    launch: Launch | None = None
    execution_arn: str | None = None
    cancel_reason: str | None = None

    def given(self) -> dict[str, Any]:
        """The fields that were given, by their names here."""
        return {name: getattr(self, name) for name in self.model_fields_set}


class Sort(StrEnum):
    """By which time a list is ordered; what has the same time is ordered by id."""

    CREATED_AT = "createdAt"
    LAST_UPDATED = "lastUpdated"


class Query(Model):
    """Which workflows are asked for; what is None or empty does not matter, the rest must all hold."""

    workflow_definition_name: str | None = None
    status: tuple[Status, ...] = ()
    """Any of these."""
    resolved_by_user: bool | None = None
    namespace: str | None = None
    queue: str | None = None
    tags: dict[str, str] = Field(default_factory=dict)
    created_after: Time | None = None
    """At this time or later."""
    created_before: Time | None = None
    """Before this time."""
    updated_after: Time | None = None
    """At this time or later."""
    id_contains: str | None = None
    sort: Sort = Sort.CREATED_AT
    oldest_first: bool = False
    limit: int = Field(default=10, ge=1, le=10_000)
    page_token: str | None = None


class Page(Model):
    """A part of a list."""

    items: tuple[WorkflowSummary, ...]
    next_page_token: str | None = None
    """None on the last page."""


class Queue(Model):
    """A queue, and how many of its workflows may run at a time: any number where `limit` is None."""

    name: str
    limit: int | None = Field(default=None, ge=0)


class QueueState(Queue):
    """A queue with what is in it."""

    waiting: int = 0
    running: int = 0
    """Started, or being started, and not ended."""


class Count(Model):
    """How many workflows of one version of a definition have a status."""

    workflow_definition_name: str
    version: int
    status: Status
    resolved_by_user: bool
    count: int
