"""The settings of a worker: each is a flag of `workers run`, a `WORKERS_…` variable and a Python argument.

    flag --grace 10   =   variable WORKERS_GRACE=10   =   Settings(grace=10)

A flag wins over a variable, a variable over the default. Where AWS is, and who asks, is never set here: that is
the AWS SDK's own configuration (region, profile, credentials, `AWS_ENDPOINT_URL`).
"""

import re
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from workers.arns import LOCAL_PORT, NAMESPACE_SEPARATOR, check_name
from workers.errors import UsageError
from workers.pollers import ORDER, poller_problem

ENV_PREFIX = "WORKERS_"

PLACEHOLDER = re.compile(r"\{(\w*)\}")
PLACEHOLDERS = ("host", "pid", "ecs_task", "pod")
"""What a worker name may hold in braces; filled at start."""


def _name(value: str) -> str:
    try:
        return check_name(value, "given")
    except UsageError as error:
        raise ValueError(str(error)) from None


def _namespace(value: str) -> str:
    if NAMESPACE_SEPARATOR in value:
        raise ValueError(f"{NAMESPACE_SEPARATOR!r} separates the namespace from the activity's name")
    return _name(value)


def _worker_name(value: str) -> str:
    for placeholder in PLACEHOLDER.findall(value):
        if placeholder not in PLACEHOLDERS:
            known = ", ".join(f"{{{name}}}" for name in PLACEHOLDERS)
            raise ValueError(f"there is no placeholder {{{placeholder}}}, only {known}")
    _name(PLACEHOLDER.sub("-", value))
    return value


WorkerName = Annotated[str, AfterValidator(_worker_name)]
Namespace = Annotated[str, AfterValidator(_namespace)]


class Settings(BaseSettings):
    """What a worker does, and how much of it at once. Times are seconds.

    Raises `UsageError` naming the flag, the variable and the value when one cannot be used.
    """

    model_config = SettingsConfigDict(env_prefix=ENV_PREFIX, extra="ignore", frozen=True, env_ignore_empty=True)

    concurrency: int = Field(10, ge=1, le=100_000, description="Slots per activity: tasks it may run at once.")
    budget: int | None = Field(
        None, ge=1, description="Slots of the whole worker: each activity owns one, the rest are shared."
    )
    pollers: int = Field(8, ge=1, le=1_000, description="Open GetActivityTask polls per activity, at most.")
    min_pollers: int = Field(
        1, ge=1, le=1_000, description="Open polls of an activity that has nothing to do; with --budget always one."
    )
    initial_pollers: int = Field(2, ge=1, le=1_000, description="Open polls of an activity at the start.")
    rate: float | None = Field(None, gt=0, allow_inf_nan=False, description="Tasks a second per activity, at most.")
    grace: float = Field(
        30.0, ge=0, allow_inf_nan=False, description="Seconds that running handlers get to finish after SIGTERM."
    )
    heartbeat: float = Field(
        15.0, ge=0, allow_inf_nan=False, description="Seconds between the heartbeats of a running task; 0 sends none."
    )
    breaker: int | None = Field(
        None, ge=1, description="Failures in a row that pause an activity's polls.  [default: none do]"
    )
    breaker_pause: float = Field(30.0, gt=0, allow_inf_nan=False, description="Seconds that such a pause lasts.")
    max_tasks: int | None = Field(None, ge=1, description="Drain and exit 0 once this many tasks were received.")
    max_rss: int | None = Field(None, ge=1, description="Drain and exit 0 once the process holds this many MB.")
    recycle: int = Field(1_000, ge=1, description="Tasks after which a process of a process=True handler is renewed.")
    payloads: str | None = Field(
        None, min_length=1, description="Store for large payloads, as in s3://bucket/prefix; loads and offloads."
    )
    worker_name: WorkerName | None = Field(
        None,
        description="The name that histories show for this worker; {host}, {pid}, {ecs_task} and {pod} are filled in."
        "  [default: {host}-{pid}]",
    )
    namespace: Namespace | None = Field(None, description="Poll the activities NAMESPACE--NAME instead of NAME.")
    create: bool = Field(True, description="Create an activity that does not exist, or leave it and say so.")
    account: str | None = Field(
        None, pattern="^[0-9]{12}$", description="The AWS account of the activities.  [default: asked of STS]"
    )
    client: Literal["auto", "fast", "botocore"] = Field(
        "auto", description="Who makes the calls: our fast client, the AWS SDK's, or the fast one while it can."
    )
    local: bool = Field(False, description="Use the embedded Step Functions that `workers local` runs.")
    local_port: int = Field(LOCAL_PORT, ge=1, le=65_535, description="The port of the embedded Step Functions.")

    health_port: int | None = Field(
        None,
        ge=0,
        le=65_535,
        description="Answer /livez, /readyz, /metrics and /tasks on this port; 0 takes a free one.  [default: none]",
    )
    health_host: str = Field("127.0.0.1", min_length=1, description="The address of that port; 0.0.0.0 for probes.")
    metrics: Literal["prometheus", "emf"] = Field(
        "prometheus",
        description="Metrics: at /metrics, or printed to stdout once a minute in CloudWatch's embedded metric format.",
    )
    stop_grace: float | None = Field(
        None,
        ge=0,
        allow_inf_nan=False,
        description="Seconds from SIGTERM to SIGKILL where this runs (stopTimeout, terminationGracePeriodSeconds), "
        "to be warned when a drain needs more.  [default: 30 in a container]",
    )
    ecs_protection: bool = Field(True, description="On ECS, protect the task from scale-in while activity tasks run.")
    log_level: Literal["debug", "info", "warning", "error"] = Field("info", description="Log from this level up.")
    log_successes: bool = Field(False, description="Log each task that succeeded at info, not only at debug.")
    log_format: Literal["auto", "console", "json"] = Field(
        "auto", description="Coloured lines, or JSON; auto: lines on a terminal, JSON elsewhere."
    )

    def __init__(self, **values: Any) -> None:
        if unknown := values.keys() - type(self).model_fields.keys():
            raise UsageError(f"there is no setting named {', '.join(sorted(unknown))}")
        try:
            super().__init__(**values)
        except ValidationError as error:
            raise UsageError("; ".join(_explain(problem) for problem in error.errors())) from None
        said = {name: getattr(self, name) if name in self.model_fields_set else None for name in ORDER}
        if wrong := poller_problem({**said, "pollers": self.pollers}, flag):  # the default, too, is kept
            raise UsageError(wrong)

    @property
    def local_url(self) -> str:
        """Where the embedded Step Functions answers."""
        return f"http://127.0.0.1:{self.local_port}"


def flag(field: str) -> str:
    """The command line flag of a setting."""
    return "--" + field.replace("_", "-")


def variable(field: str) -> str:
    """The environment variable of a setting."""
    return ENV_PREFIX + field.upper()


def _explain(problem: Any) -> str:
    field = str(problem["loc"][0])
    message = problem["msg"].removeprefix("Value error, ")
    return f"{flag(field)} (or {variable(field)}) cannot be {problem['input']!r}: {message[0].lower()}{message[1:]}"
