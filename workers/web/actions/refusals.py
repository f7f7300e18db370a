"""What the server says against an action, for the page that asked for it."""

from dataclasses import dataclass
from typing import Any

from workers.errors import WorkersError
from workers.manager.errors import ConflictError, InvalidError, NotFoundError, TooLargeError, UnavailableError
from workers.stepfunctions.protocol import RefusedError, ServiceError

_STATUSES: tuple[tuple[type[WorkersError], int], ...] = (
    (TooLargeError, 413),
    (NotFoundError, 404),
    (ConflictError, 409),
    (InvalidError, 400),
    (UnavailableError, 503),
    (RefusedError, 400),
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
        return cls(str(error), status, tuple(getattr(error, "problems", ())))
