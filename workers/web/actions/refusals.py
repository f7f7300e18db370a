"""What the server says against an action, for the page that asked for it."""

from dataclasses import dataclass
from typing import Any

from workers.errors import WorkersError
from workers.manager.errors import (
    AwsDeniedError,
    ConflictError,
    InvalidError,
    NotFoundError,
    TooLargeError,
    UnavailableError,
)
from workers.stepfunctions.protocol import DeniedError, RefusedError, ServiceError

_STATUSES: tuple[tuple[type[WorkersError], int], ...] = (
    (TooLargeError, 413),
    (NotFoundError, 404),
    (ConflictError, 409),
    (InvalidError, 400),
    (AwsDeniedError, 403),
    (UnavailableError, 503),
    (RefusedError, 400),
    (DeniedError, 403),
    (ServiceError, 503),
)


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why something was not done."""

    message: str
    """In the server's own words."""
    status: int
    """Of the answer."""
    problems: tuple[Any, ...] = ()

    @classmethod
    def of(cls, error: WorkersError) -> "Refusal":
        """What an error says."""
        status = next((status for kind, status in _STATUSES if isinstance(error, kind)), 400)
        message = denial(error) if isinstance(error, DeniedError) else str(error)
        return cls(message, status, tuple(getattr(error, "problems", ())))


def denial(error: DeniedError) -> str:
    """What is denied to this process, and what to do: whoever looks at the page may do nothing against it."""
    said = str(error).rstrip(".")
    return (
        f"{said}. AWS does not let this service call {error.operation}: its role lacks the right to do so, or its "
        "credentials are not valid. `workers iam manager` prints a policy with all that a workflow manager needs."
    )
