"""One root for every error of this project, and the error names that reach Step Functions.

An error that a person reads says what was wrong, where, and what to do next; the CLI prints it as one line.
The names in `ErrorName` are a contract: state machines match them in `Retry` and `Catch`, so a released name
never changes its meaning.
"""

from datetime import timedelta
from enum import IntEnum, StrEnum
from typing import Any

CAUSE_LIMIT = 32_768
"""Bytes of UTF-8 in a cause (SendTaskFailure, API reference)."""

NAME_LIMIT = 256
"""Characters in an error name (SendTaskFailure, API reference)."""


class ExitCode(IntEnum):
    """How a `workers` process ends."""

    OK = 0
    """Everything was done; a worker has reported every token that it received."""
    FAULT = 1
    """Something failed that should not have."""
    USAGE = 2
    """What the user gave cannot work."""
    FORCED = 3
    """A second signal ended the worker with work left."""


class WorkersError(Exception):
    """The root of every error raised by this project."""


class UsageError(WorkersError):
    """Something the user gave cannot work: a setting, a file, a name, a definition. CLI exit code 2."""


class RegistrationError(UsageError):
    """A handler, interceptor or registry that could never work. Raised where it is registered."""


class MissingExtraError(UsageError):
    """A part was used whose optional dependencies are not installed."""

    def __init__(self, part: str, extra: str) -> None:
        super().__init__(f"{part} needs packages that are not installed: pip install 'sfn-workers[{extra}]'")


class BrokenWorkerError(WorkersError):
    """A part of the worker failed: a fault of ours. What the worker held has been finished. CLI exit code 1."""

    def __init__(self, part: str, cause: BaseException) -> None:
        super().__init__(
            f"{part} broke, {type(cause).__name__}: {cause}. The log says where; this is a fault of sfn-workers"
        )


class ActivityError(WorkersError):
    """Raised by a handler to fail its task with an error name of its choice.

    `name` is what `ErrorEquals` in the state machine matches, at most 256 characters.
    `cause` is any JSON-ready value or text; without it the cause is the error's type, message and traceback.
    """

    def __init__(self, name: str, message: str = "", *, cause: object = None) -> None:
        super().__init__(message or name)
        self.error_name = name
        self.cause = cause


class PausePolling(WorkersError):  # noqa: N818 - a request to the worker, that happens to end the task
    """Raised by a handler whose downstream is dead: fails the task, and stops its activity's polls for a while.

    `seconds` is how long, more than 0. The task fails as `Worker.PausePolling`; a Retry in the state machine brings
    it back. Raises `TypeError` or `ValueError` for what is no such time.
    """

    error_name = "Worker.PausePolling"

    def __init__(self, seconds: float | timedelta, message: str = "") -> None:
        pause = seconds.total_seconds() if isinstance(seconds, timedelta) else float(seconds)
        if not 0 < pause < float("inf"):
            raise ValueError(f"PausePolling({seconds!r}): a pause has more than 0 seconds, and an end")
        super().__init__(message or f"polling is paused for {pause:g} s")
        self.seconds = pause

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.seconds, str(self)), self.__dict__


class TaskCancelledError(WorkersError):
    """Raised in a handler by `task.check()` or `task.heartbeat()` when its task has been cancelled."""


def bare(error: BaseException) -> BaseException:
    """The one error inside the groups that task groups put around it."""
    while isinstance(error, BaseExceptionGroup) and len(error.exceptions) == 1:
        error = error.exceptions[0]
    return error


class ErrorName(StrEnum):
    """The error names this framework itself sends to Step Functions.

    Each says what it means, and whether another attempt can help: `yes`, at once or soon; `later`, when somebody or
    something has mended what is broken; `no`, not without a change. The reference page is made of that.
    """

    SHUTTING_DOWN = "Worker.ShuttingDown"
    """The worker is being stopped and could not finish the task. Another worker will take it. Retry: yes."""
    INVALID_INPUT = "Worker.InvalidInput"
    """The input is no JSON that a worker reads, or does not fit the handler's signature. The cause says where.

    Retry: no.
    """
    INVALID_OUTPUT = "Worker.InvalidOutput"
    """The handler returned what is not of its declared type, or what JSON cannot hold; or Step Functions refused it.

    Retry: no.
    """
    OUTPUT_TOO_LARGE = "Worker.OutputTooLarge"
    """The result is over 262,144 bytes of JSON and no payload store takes it. Retry: no."""
    HANDLER_TIMEOUT = "Worker.HandlerTimeout"
    """The handler ran longer than its `timeout`. Retry: yes."""
    HANDLER_CRASHED = "Worker.HandlerCrashed"
    """The process that ran the handler died: a signal, or no memory left. Retry: yes."""
    COMMAND_FAILED = "Worker.CommandFailed"
    """The command of `workers exec` exited with a code other than 0, and named no error of its own. Retry: no."""
    COMMAND_KILLED = "Worker.CommandKilled"
    """A signal ended the command that the worker had not sent: most often the memory was used up. Retry: yes."""
    COMMAND_NOT_FOUND = "Worker.CommandNotFound"
    """There is no such command on this worker. Retry: later."""
    COMMAND_NOT_STARTED = "Worker.CommandNotStarted"
    """The command could not be started: no permission, no interpreter, no room for its work directory. Retry: later."""
    PAUSE_POLLING = "Worker.PausePolling"
    """The handler asked for a pause, because something that it needs is down. Polls go on after the pause.

    Retry: later.
    """
    CALLBACK_KEY_IN_USE = "Worker.CallbackKeyInUse"
    """A task of another execution waits for the same callback key, and executions may not share keys here.

    Retry: later.
    """
    PAYLOAD_MISSING = "Worker.PayloadMissing"
    """The object of a claim is gone from the payload store: swept, expired or never written. Retry: no."""
    PAYLOAD_CORRUPT = "Worker.PayloadCorrupt"
    """The object of a claim is not what was offloaded: its length or its hash differs, or it cannot be decoded.

    Retry: no.
    """
    PAYLOAD_FORBIDDEN = "Worker.PayloadForbidden"
    """A claim points outside the payload stores that this worker may read. Nothing was read. Retry: no."""
    PAYLOAD_MALFORMED = "Worker.PayloadMalformed"
    """An object looks like a claim and is none: a field is missing, of a wrong type or of an unknown version.

    Retry: no.
    """
    PAYLOAD_NESTED = "Worker.PayloadNested"
    """An offloaded payload holds a claim itself. It is not followed. Retry: no."""
    PAYLOAD_TOO_LARGE = "Worker.PayloadTooLarge"
    """A payload is over the size that this worker reads or writes. Nothing was read. Retry: no."""
    PAYLOAD_STORE_MISSING = "Worker.PayloadStoreMissing"
    """The bucket or folder of the payload store does not exist. Retry: later."""
    PAYLOAD_ACCESS_DENIED = "Worker.PayloadAccessDenied"
    """The payload store refused the worker's credentials; without `s3:ListBucket` that can also mean a missing object.

    Retry: later.
    """
    PAYLOAD_STORE_REFUSED = "Worker.PayloadStoreRefused"
    """The payload store refused a request, for instance an unknown KMS key or tag. Retry: no."""
    PAYLOAD_STORE_UNAVAILABLE = "Worker.PayloadStoreUnavailable"
    """The payload store could not be reached, or answered with errors, through all retries. Retry: later."""
    NO_IDEMPOTENCY_KEY = "Worker.NoIdempotencyKey"
    """`Idempotent` cannot tell which work the task is: its input brings no context, and no key was chosen.

    Retry: no.
    """
    ALREADY_IN_PROGRESS = "Worker.AlreadyInProgress"
    """Another attempt of the same work still runs. Its result will be there, or its lease over. Retry: later."""
    LEASE_LOST = "Worker.LeaseLost"
    """This attempt was silent for longer than its lease, so that another one may have taken the work over.

    Retry: yes.
    """
    RESULT_NOT_KEPT = "Worker.ResultNotKept"
    """The work was done by an earlier attempt, whose result was too large to keep. It is not done again. Retry: no."""
    RECORD_STORE_FAILED = "Worker.RecordStoreFailed"
    """The store of `Idempotent` could not be used; the work was not begun. Retry: later."""
