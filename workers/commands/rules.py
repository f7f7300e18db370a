"""How a command's end becomes a result or an error: our own rules and names, or those of sfncli."""

import signal
from dataclasses import dataclass
from typing import Any

from workers.commands.streams import LINE_LIMIT, LastLine, Tail
from workers.errors import CAUSE_LIMIT, ActivityError, ErrorName
from workers.supervisor.tasks.reading import read_input

EXECUTION_NAME = "_EXECUTION_NAME"
"""The key of the input, and the variable, in which sfncli hands on the name of the execution."""
_SHOWN = 200


@dataclass(frozen=True, kw_only=True)
class Names:
    """The error names of one convention."""

    bad_input: str
    no_execution_name: str
    not_found: str
    not_started: str
    failed: str
    """It exited with a code other than 0."""
    killed: str
    """SIGKILL ended it, which the worker had not sent: most often the memory was used up."""
    terminated: str
    """SIGTERM ended it, which the worker had not sent."""
    signalled: str
    """Another signal ended it."""
    stopped: str
    """The worker is being stopped, and so was the command."""
    bad_output: str


OWN = Names(
    bad_input=ErrorName.INVALID_INPUT,
    no_execution_name=ErrorName.INVALID_INPUT,
    not_found=ErrorName.COMMAND_NOT_FOUND,
    not_started=ErrorName.COMMAND_NOT_STARTED,
    failed=ErrorName.COMMAND_FAILED,
    killed=ErrorName.COMMAND_KILLED,
    terminated=ErrorName.COMMAND_KILLED,
    signalled=ErrorName.COMMAND_KILLED,
    stopped=ErrorName.SHUTTING_DOWN,
    bad_output=ErrorName.INVALID_OUTPUT,
)
SFNCLI = Names(
    bad_input="sfncli.TaskInputNotJSON",
    no_execution_name="sfncli.TaskInputMissingExecutionName",
    not_found="sfncli.CommandNotFound",
    not_started="sfncli.Unknown",
    failed="sfncli.CommandExitedNonzero",
    killed="sfncli.CommandKilled",
    terminated="sfncli.CommandTerminated",
    signalled="sfncli.Unknown",
    stopped="sfncli.CommandTerminated",
    bad_output="sfncli.TaskOutputNotJSON",
)


@dataclass(frozen=True, slots=True)
class End:
    """How a command ended."""

    code: int
    """Its exit code, or minus the number of the signal that ended it."""
    stopped: bool
    """Whether the worker told it to stop, because it is being stopped itself."""
    stdout: LastLine
    stderr: Tail


class Rules:
    """What is asked of inputs and results, and the names of errors; `sfncli`: as that program has them.

    There, input and result are objects, the input names its execution, and the result is given the name again.
    """

    def __init__(self, *, sfncli: bool) -> None:
        self._sfncli = sfncli
        self._names = SFNCLI if sfncli else OWN

    def execution_name(self, event: Any, known: str | None) -> str | None:
        """The name of the execution: from the input, or `known` from its context. Raises `ActivityError`."""
        if self._sfncli and not isinstance(event, dict):
            raise ActivityError(self._names.bad_input, cause=f"the task's input is no JSON object: {event!r:.200}")
        given = event.get(EXECUTION_NAME) if isinstance(event, dict) else None
        name = given if isinstance(given, str) and given else known
        if self._sfncli and not name:
            raise ActivityError(self._names.no_execution_name, cause=f"the task's input has no {EXECUTION_NAME}")
        return name

    def not_started(self, command: str, error: OSError, *, found: bool) -> ActivityError:
        """The error of a command that could not be started; `found`: whether there is such a file."""
        if isinstance(error, FileNotFoundError) and not found:
            return ActivityError(self._names.not_found, cause=f"command not found: '{command}'")
        return ActivityError(self._names.not_started, cause=f"{command} cannot be started: {error.strerror or error}")

    def no_place(self, error: OSError) -> ActivityError:
        """The error of a task for which no work directory could be made."""
        return ActivityError(self._names.not_started, cause=f"no work directory: {error}")

    def result(self, end: End, execution_name: str | None) -> Any:
        """The result: the last line of stdout. Raises `ActivityError` when the command failed or it is no JSON."""
        if end.code:
            raise self._failure(end)
        line = end.stdout.line()
        if end.stdout.too_long:
            cause = f"the last line of stdout has more than {LINE_LIMIT:,} bytes"
            raise ActivityError(ErrorName.OUTPUT_TOO_LARGE, cause=cause)
        if not line:
            value: Any = {} if self._sfncli else None
        else:
            try:
                value = read_input(line.decode())
            except ValueError as error:
                raise self._bad_output(line, f"no JSON that a worker reads ({_reason(error)})") from None
        return self._named(value, line, execution_name) if self._sfncli else value

    def _named(self, value: Any, line: bytes, execution_name: str | None) -> Any:
        if not isinstance(value, dict):
            raise self._bad_output(line, "no JSON object")
        return {**value, EXECUTION_NAME: execution_name}

    def _bad_output(self, line: bytes, what: str) -> ActivityError:
        shown = line[:_SHOWN].decode(errors="backslashreplace")
        return ActivityError(self._names.bad_output, cause=f"the last line of stdout is {what}: '{shown}'")

    def _failure(self, end: End) -> ActivityError:
        if own := _own_error(end.stdout.line()):
            return own
        said = end.stderr.text(room=CAUSE_LIMIT - _SHOWN)
        if self._sfncli:
            return ActivityError(self._name(end), cause=said)
        how = f"exit code {end.code}" if end.code > 0 else f"ended by {_signal_name(-end.code)}"
        stopped = ", told to stop because the worker is being stopped" if end.stopped else ""
        return ActivityError(self._name(end), cause=f"{how}{stopped}\n{said}".strip())

    def _name(self, end: End) -> str:
        if end.stopped:
            return self._names.stopped
        if end.code > 0:
            return self._names.failed
        names: dict[int, str] = {signal.SIGKILL: self._names.killed, signal.SIGTERM: self._names.terminated}
        return names.get(-end.code, self._names.signalled)


def _own_error(line: bytes) -> ActivityError | None:
    """The error that a command chose: an object with `error`, and maybe `cause`, in its last line."""
    try:
        said = read_input(line.decode())
    except ValueError:
        return None
    if not isinstance(said, dict) or not isinstance(name := said.get("error"), str) or not name:
        return None
    return ActivityError(name, cause=said.get("cause", ""))


def _reason(error: ValueError) -> str:
    return "it is not UTF-8" if isinstance(error, UnicodeDecodeError) else str(error)


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:  # a real-time signal has no name
        return f"signal {number}"
