"""What the manager refuses, and why: every error of it that a caller can cause or has to hear of."""

from collections.abc import Mapping, Sequence
from typing import Any

from workers.errors import WorkersError
from workers.stepfunctions.protocol import DeniedError

_NAMING = {"AccessDenied", "AccessDeniedException", "KmsAccessDeniedException", "NotAuthorized"}
"""Codes of AWS with whose messages it names the action and the resource; those about signatures quote what was sent."""


class ManagerError(WorkersError):
    """The root of the errors in this room."""


class InvalidError(ManagerError):
    """What was asked cannot work, whatever the present state is. `problems` has more, where there is more."""

    def __init__(self, message: str, *, problems: Sequence[Mapping[str, Any]] = ()) -> None:
        super().__init__(message)
        self.problems = tuple(problems)


class TooLargeError(InvalidError):
    """It is larger than what is taken here."""


class UnavailableError(ManagerError):
    """Something that is needed could not be reached, or did not answer in time. Trying again may help."""


class AwsDeniedError(ManagerError):
    """AWS does not let the manager do what it was asked for: only whoever runs it can mend that."""

    @classmethod
    def of(cls, error: DeniedError) -> "AwsDeniedError":
        """What AWS said to a call of Step Functions, and what to do."""
        said = str(error).rstrip(".") if error.code in _NAMING else f"{error.operation}: {error.code}"
        return cls(
            f"Step Functions: {said}. AWS does not let the workflow manager call {error.operation}: its role lacks the "
            "right to do so, or its credentials are not valid. `workers iam manager` prints a policy with all it needs"
        )


class NotFoundError(ManagerError):
    """There is no such definition, workflow, state resource or queue."""


class ConflictError(ManagerError):
    """It exists already, or it is in a state that does not allow what was asked."""


class TerminalStatusError(ConflictError):
    """A workflow that has ended stays as it is: only a redrive, which has a higher redrive count, opens it again."""


class RevisionError(ConflictError):
    """Somebody else has changed it since it was read. Read it again, and decide anew."""


class IdempotencyError(ConflictError):
    """An idempotency key was used before, for another request."""


class InvalidPageTokenError(InvalidError):
    """A page token that no answer of this store gave, or that belongs to another order."""


class StoreUnavailableError(UnavailableError):
    """The database could not be reached, or did not answer in time."""


class StoreDeniedError(StoreUnavailableError, AwsDeniedError):
    """AWS does not let the manager use its tables. It goes on asking, for somebody may mend that."""
