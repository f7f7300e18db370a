"""The settings of a worker: each is a flag of `workers run`, a `WORKERS_…` variable and a Python argument.

    flag --grace 10   =   variable WORKERS_GRACE=10   =   Settings(grace=10)

A flag wins over a variable, a variable over the default. Where AWS is, and who asks, is never set here: that is
the AWS SDK's own configuration (region, profile, credentials, `AWS_ENDPOINT_URL`).
"""

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from workers.arns import NAMESPACE_SEPARATOR, check_name
from workers.errors import UsageError

ENV_PREFIX = "WORKERS_"
LOCAL_PORT = 8083
LOCAL_ACCOUNT = "123456789012"
LOCAL_REGION = "us-east-1"


def _name(value: str) -> str:
    try:
        return check_name(value, "given")
    except UsageError as error:
        raise ValueError(str(error)) from None


def _namespace(value: str) -> str:
    if NAMESPACE_SEPARATOR in value:
        raise ValueError(f"{NAMESPACE_SEPARATOR!r} separates the namespace from the activity's name")
    return _name(value)


Name = Annotated[str, AfterValidator(_name)]
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
    min_pollers: int = Field(1, ge=1, le=1_000, description="Open polls of an activity that has nothing to do.")
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
    worker_name: Name | None = Field(
        None, description="The name that histories show for this worker.  [default: HOST-PID]"
    )
    namespace: Namespace | None = Field(None, description="Poll the activities NAMESPACE--NAME instead of NAME.")
    create: bool = Field(True, description="Create an activity that does not exist, or leave it and say so.")
    account: str | None = Field(
        None, pattern=r"^\d{12}$", description="The AWS account of the activities.  [default: asked of STS]"
    )
    local: bool = Field(False, description="Use the embedded Step Functions that `workers local` runs.")
    local_port: int = Field(LOCAL_PORT, ge=1, le=65_535, description="The port of the embedded Step Functions.")

    log_level: Literal["debug", "info", "warning", "error"] = Field("info", description="Log from this level up.")
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
