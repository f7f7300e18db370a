"""What a worker needs of Step Functions: four calls of the hot path, and the one that creates an activity."""

from dataclasses import dataclass, field
from typing import Protocol

from workers.errors import WorkersError

OUTPUT_LIMIT = 262_144
"""Bytes of UTF-8 in an output (SendTaskSuccess; service quotas: task input or output)."""


@dataclass(frozen=True, slots=True)
class ActivityTask:
    """What a poll brought: the token, and the input as JSON text."""

    token: str = field(repr=False)
    input: str = field(repr=False)


class HotCalls(Protocol):
    """The calls that every task costs. Each raises one of the errors below, and nothing else."""

    async def get_activity_task(self, activity_arn: str, worker_name: str) -> ActivityTask | None:
        """Long-polls for up to 60 seconds; None when no task came. A poll must never be cancelled lightly:
        Step Functions hands a token out once, and a dropped poll can take one with it."""

    async def send_task_success(self, token: str, output: str) -> None:
        """Reports the result, as JSON text."""

    async def send_task_failure(self, token: str, error: str, cause: str) -> None:
        """Reports a failure: a name of at most 256 characters, a cause of at most 32,768 bytes."""

    async def send_task_heartbeat(self, token: str) -> None:
        """Says that the task is still being worked on."""


class StepFunctions(HotCalls, Protocol):
    """All calls that workers make."""

    async def create_activity(self, name: str) -> None:
        """Creates an activity; does nothing where there is one (CreateActivity is idempotent by name)."""


class ServiceError(WorkersError):
    """Step Functions refused a call, or could not be reached. `code` is its error code, or the kind of fault."""

    def __init__(self, operation: str, code: str, message: str, request_id: str | None = None) -> None:
        super().__init__(f"{operation}: {code}: {message}" if message else f"{operation}: {code}")
        self.operation = operation
        self.code = code
        self.request_id = request_id


class TaskClosedError(ServiceError):
    """The token is no longer valid: the task timed out, or its execution ended. Nothing more can be reported."""


class ActivityMissingError(ServiceError):
    """There is no such activity."""


class TransientError(ServiceError):
    """The call may succeed when it is repeated: a fault of the service or of the network."""


class ThrottledError(TransientError):
    """Too many calls, or too many pollers: repeat later, and ask less."""


class DeniedError(ServiceError):
    """Credentials are missing, expired or without permission: only a person can mend it."""


class RefusedError(ServiceError):
    """The call itself was wrong; repeating it cannot help."""
