"""What ends a state: an error name and a cause, as the history shows them."""

from workers.errors import WorkersError

RUNTIME = "States.Runtime"
"""Neither retried nor caught (developer guide, "Error names")."""
INTRINSIC_FAILURE = "States.IntrinsicFailure"
RESULT_PATH_MATCH_FAILURE = "States.ResultPathMatchFailure"
QUERY_EVALUATION_ERROR = "States.QueryEvaluationError"


class StateError(WorkersError):
    """A state failed. Either part may be missing, as a Fail state leaves them out."""

    def __init__(self, error: str | None, cause: str | None = None) -> None:
        super().__init__(f"{error}: {cause}")
        self.error = error
        self.cause = cause


class EvaluationError(StateError):
    """The engine could not evaluate a field of a state.

    `cause` starts without the sentence that AWS puts in front; `located()` adds it. `location`: the field, of JSONata
    only, for which the history also has an event EvaluationFailed.
    """

    cause: str

    def __init__(self, error: str, cause: str, *, location: str | None = None) -> None:
        super().__init__(error, cause)
        self.location = location

    def located(self, state: str, event_id: int) -> "EvaluationError":
        """The same error with the cause that the history shows; `event_id` is of the event that entered `state`."""
        where = f"An error occurred while executing the state '{state}' (entered at the event id #{event_id}). "
        return EvaluationError(self.error or RUNTIME, where + self.cause, location=self.location)
