"""The states that hold no others: Pass, Task, Choice, Wait, Succeed, Fail."""

from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from workers.machines.model.base import Assigning, Choosing, Moving, Part, State
from workers.machines.model.conditions import ChoiceRule
from workers.machines.model.failures import Failing
from workers.machines.model.kinds import (
    JSONATA,
    JSONPATH,
    MAX_SECONDS,
    Constant,
    Nested,
    PathTo,
    Resource,
    Target,
    Template,
    Text,
    Timestamp,
    Whole,
)

Seconds = Annotated[int | str, Whole(1, MAX_SECONDS, seconds=True)]
SecondsPath = Annotated[str | None, PathTo(reference=True), JSONPATH]


class Pass(Choosing, Assigning, Moving):
    """Gives its input on, or a result of its own."""

    type: Literal["Pass"]
    parameters: Annotated[Any, Template("object"), JSONPATH] = None
    result: Annotated[Any, Constant(), JSONPATH] = None
    result_path: Annotated[str | None, PathTo(reference=True, context=False, null=True), JSONPATH] = "$"


class Credentials(Part):
    """The role in which a task calls another account."""

    role_arn: Annotated[str | None, Text(expression=True)] = None
    role_arn_path: Annotated[str | None, PathTo(call=True), JSONPATH, Field(alias="RoleArn.$")] = None

    alternatives: ClassVar[tuple[tuple[str, ...], ...]] = (("RoleArn", "RoleArn.$"),)
    wanted: ClassVar[tuple[tuple[str, ...], ...]] = (("RoleArn", "RoleArn.$"),)


class Task(Choosing, Assigning, Failing, Moving):
    """Has something done: an activity, a Lambda function, another service."""

    type: Literal["Task"]
    resource: Annotated[str, Resource()]
    parameters: Annotated[Any, Template("object"), JSONPATH] = None
    arguments: Annotated[Any, Template("object"), JSONATA] = None
    credentials: Annotated[Credentials | None, Nested()] = None
    timeout_seconds: Seconds = MAX_SECONDS
    timeout_seconds_path: SecondsPath = None
    heartbeat_seconds: Annotated[int | str | None, Whole(1, MAX_SECONDS, seconds=True)] = None
    heartbeat_seconds_path: SecondsPath = None

    alternatives: ClassVar[tuple[tuple[str, ...], ...]] = (
        *Moving.alternatives,
        ("TimeoutSeconds", "TimeoutSecondsPath"),
        ("HeartbeatSeconds", "HeartbeatSecondsPath"),
    )


class Choice(Choosing, Assigning):
    """Goes where the first rule says whose condition holds."""

    type: Literal["Choice"]
    choices: Annotated[list[ChoiceRule], Nested()]
    default: Annotated[str | None, Target()] = None


class Wait(Choosing, Assigning, Moving):
    """Lets time pass."""

    type: Literal["Wait"]
    seconds: Annotated[int | str | None, Whole(0, MAX_SECONDS, seconds=True)] = None
    seconds_path: SecondsPath = None
    timestamp: Annotated[str | None, Timestamp()] = None
    timestamp_path: SecondsPath = None

    alternatives: ClassVar[tuple[tuple[str, ...], ...]] = (
        *Moving.alternatives,
        ("Seconds", "SecondsPath", "Timestamp", "TimestampPath"),
    )
    wanted: ClassVar[tuple[tuple[str, ...], ...]] = (
        *Moving.wanted,
        ("Seconds", "SecondsPath", "Timestamp", "TimestampPath"),
    )


class Succeed(Choosing):
    """Ends the execution, or the branch it is in, with success."""

    type: Literal["Succeed"]


class Fail(State):
    """Ends the execution, or the branch it is in, with a failure."""

    type: Literal["Fail"]
    error: Annotated[str | None, Text(expression=True)] = None
    error_path: Annotated[str | None, PathTo(reference=True, call=True), JSONPATH] = None
    cause: Annotated[str | None, Text(expression=True)] = None
    cause_path: Annotated[str | None, PathTo(reference=True, call=True), JSONPATH] = None

    alternatives: ClassVar[tuple[tuple[str, ...], ...]] = (("Error", "ErrorPath"), ("Cause", "CausePath"))
