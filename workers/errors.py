"""One root for every error of this project, and the error names that reach Step Functions.

An error that a person reads says what was wrong, where, and what to do next; the CLI prints it as one line.
The names in `ErrorName` are a contract: state machines match them in `Retry` and `Catch`, so a released name
never changes its meaning.
"""

from enum import StrEnum

CAUSE_LIMIT = 32_768
"""Bytes of UTF-8 in a cause (SendTaskFailure, API reference)."""

NAME_LIMIT = 256
"""Characters in an error name (SendTaskFailure, API reference)."""


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


class ActivityError(WorkersError):
    """Raised by a handler to fail its task with an error name of its choice.

    `name` is what `ErrorEquals` in the state machine matches, at most 256 characters.
    `cause` is any JSON-ready value or text; without it the cause is the error's type, message and traceback.
    """

    def __init__(self, name: str, message: str = "", *, cause: object = None) -> None:
        super().__init__(message or name)
        self.error_name = name
        self.cause = cause


class TaskCancelledError(WorkersError):
    """Raised in a handler by `task.check()` or `task.heartbeat()` when its task has been cancelled."""


class ErrorName(StrEnum):
    """The error names this framework itself sends to Step Functions."""

    SHUTTING_DOWN = "Worker.ShuttingDown"
    """The worker is being stopped and could not finish the task. Retry: another worker will take it."""
    INVALID_INPUT = "Worker.InvalidInput"
    """The task's input does not fit the handler's signature. Retrying cannot help."""
    INVALID_OUTPUT = "Worker.InvalidOutput"
    """The handler returned something that is not of its declared type, or that JSON cannot hold."""
    OUTPUT_TOO_LARGE = "Worker.OutputTooLarge"
    """The result is over 262,144 bytes of JSON and no payload store takes it."""
    HANDLER_TIMEOUT = "Worker.HandlerTimeout"
    """The handler ran longer than its `timeout`."""
    HANDLER_CRASHED = "Worker.HandlerCrashed"
    """The process that ran the handler died: a signal, or no memory left."""
    CANCELLED = "Worker.Cancelled"
    """The handler ended because its task was cancelled, though Step Functions may still have been waiting."""
