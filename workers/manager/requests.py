"""What callers ask for: the bodies of the REST API, and what clients in Python are given to send."""

import json
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    StrictBool,
    StrictStr,
    StringConstraints,
    field_validator,
    model_validator,
)

from workers.arns import NAMESPACE_SEPARATOR, check_name
from workers.errors import UsageError
from workers.manager.model import DEFAULT_QUEUE, Manager, Model, ResourceType

LARGEST = 2_147_483_647
"""The largest number that a store keeps."""
LATEST = -1
"""The version that stands for the newest one."""


def _namespace(value: str) -> str:
    """A namespace whose end can be told from what follows it in `NS--NAME`."""
    if not value:
        return value
    try:
        check_name(value, "namespace")
    except UsageError as error:
        raise ValueError(str(error)) from None
    if NAMESPACE_SEPARATOR in value or value.endswith("-"):
        raise ValueError(
            f"{NAMESPACE_SEPARATOR!r} separates the namespace {value!r} from the name: it holds none, nor ends in -"
        )
    return value


def _in_a_path(value: str) -> str:
    if value in {".", ".."}:
        raise ValueError(f"{value!r} cannot stand in a path: take another")
    return value


def _number(value: Any) -> Any:
    """Neither a text nor true or false; 1.0 is 1, as JSON Schema has it."""
    if isinstance(value, str | bool):
        raise ValueError(f"{json.dumps(value, ensure_ascii=False)} is no number")  # noqa: TRY004 - pydantic's way
    return value


Number = Annotated[int, BeforeValidator(_number)]
Bounded = Annotated[int, Field(ge=0, le=LARGEST), BeforeValidator(_number)]
Name = Annotated[
    str,
    StringConstraints(strict=True, min_length=1, max_length=200, pattern=r"^[^/\x00-\x1f\x7f]+$"),
    AfterValidator(_in_a_path),
]
"""A name that can stand in a path of the API."""
Namespace = Annotated[StrictStr, AfterValidator(_namespace)]
QueueName = Annotated[str, StringConstraints(strict=True, max_length=200, pattern=r"^[^/\x00-\x1f\x7f]*$")]
_TagKey = Annotated[str, StringConstraints(min_length=1, max_length=128)]
_TagValue = Annotated[str, StringConstraints(strict=True, max_length=256)]
Tags = Annotated[dict[_TagKey, _TagValue], Field(max_length=50)]
"""Tags as AWS allows them on a resource: number and lengths of TagResource, Step Functions API reference."""
StateName = Annotated[str, StringConstraints(strict=True, min_length=1, max_length=80)]


class Request(Model):
    """The root of all bodies, as the first clients send them: null is as good as nothing, unknown keys are ignored."""

    @model_validator(mode="before")
    @classmethod
    def _without_nulls(cls, given: Any) -> Any:
        return {key: value for key, value in given.items() if value is not None} if isinstance(given, dict) else given


class NewWorkflowDefinition(Request):
    """A definition to be created, or to become the next version."""

    name: Name = Field(examples=["hello-workflow"])
    version: Number | None = Field(default=None, description="Ignored: versions are counted here.")
    manager: Manager = "step-functions"
    state_machine: dict[str, Any] | StrictStr = Field(
        description="The machine: Amazon States Language or its notation, as an object or as a text in YAML or JSON. "
        "Resources may be names of activities, `lambda:NAME`, `glue:NAME` or ARNs.",
        examples=[
            {
                "StartAt": "hello",
                "TimeoutSeconds": 3600,
                "States": {"hello": {"Type": "Task", "Resource": "hello", "End": True}},
            }
        ],
    )
    default_tags: Tags = Field(default_factory=dict, description="Tags of its workflows and of its state machines.")
    input_schema: dict[str, Any] | None = Field(
        default=None,
        description="A JSON Schema (2020-12, or what its `$schema` names) that the inputs of its workflows must fit.",
        examples=[{"type": "object", "required": ["order"], "properties": {"order": {"type": "integer"}}}],
    )


class WorkflowDefinitionRef(Request):
    """Which definition."""

    name: StrictStr = Field(min_length=1, max_length=200, examples=["hello-workflow"])
    version: Number = Field(
        default=0, le=LARGEST, ge=-LARGEST, description="Left out, it is the first version; below 0, it is the latest."
    )


class StartWorkflow(Request):
    """A workflow to be started."""

    workflow_definition: WorkflowDefinitionRef
    input: StrictStr = Field(default="", description="A JSON object, as text.", examples=['{"foo": true}'])
    namespace: Namespace = Field(default="", description="Goes before the names of what its tasks call.")
    queue: QueueName = DEFAULT_QUEUE
    tags: Tags = Field(default_factory=dict, description="Over the definition's own.")
    id_suffix: StrictStr = Field(default="", description="Ignored here.")

    @field_validator("queue")
    @classmethod
    def _no_queue(cls, value: str) -> str:
        return value or DEFAULT_QUEUE


class StartJob(Request):
    """A workflow to be started, in the form of 2017: the input is a list of arguments."""

    workflow_definition: WorkflowDefinitionRef
    input: list[Any] = Field(default_factory=list, max_length=100_000, examples=[["arg1", "arg2", "arg3"]])
    namespace: Namespace = ""
    queue: QueueName = DEFAULT_QUEUE
    tags: Tags = Field(default_factory=dict)


class CancelReason(Request):
    """Why a workflow is cancelled."""

    reason: StrictStr = Field(default="", max_length=4_096, examples=["try out cancelling a workflow"])


class WorkflowDefinitionOverrides(Request):
    """Where a workflow is resumed."""

    start_at: StateName = Field(
        alias="StartAt", description="The name of a state; of one inside a Parallel or Map state, too."
    )


class NewStateResource(Request):
    """An entry of the registry of resources."""

    name: Name
    namespace: Annotated[str, StringConstraints(strict=True, max_length=80, pattern=r"^[^/\x00-\x1f\x7f]*$")] = ""
    uri: StrictStr = Field(default="", max_length=2_048)
    type: ResourceType = ResourceType.ACTIVITY


class Deprecation(Request):
    """Whether new workflows may be started with a definition."""

    version: Bounded | None = Field(default=None, description="Left out: all versions.")
    deprecated: StrictBool = True


class QueueLimit(Request):
    """How many workflows of a queue run at a time."""

    limit: Bounded | None = Field(default=None, description="Left out: any number.")
