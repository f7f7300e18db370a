"""An execution as it is known: what went in, what came out, and if it failed, where and why."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Self

from workers.errors import WorkersError


class Status(StrEnum):
    """The status of an execution."""

    RUNNING = "RUNNING"
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"
    TIMED_OUT = "TIMED_OUT"
    ABORTED = "ABORTED"
    """Stopped by somebody."""
    PENDING_REDRIVE = "PENDING_REDRIVE"
    """A child execution of a distributed Map that waits until it is redriven."""

    @property
    def ended(self) -> bool:
        """Whether nothing more happens by itself."""
        return self not in {Status.RUNNING, Status.PENDING_REDRIVE}


@dataclass(frozen=True, kw_only=True)
class Execution:
    """An execution as it was when it was asked for."""

    arn: str
    name: str
    state_machine: str
    """The ARN of its state machine, without a version or an alias."""
    status: Status
    started: datetime
    stopped: datetime | None = None
    input: Any = field(default=None, repr=False)
    output: Any = field(default=None, repr=False)
    """What it returned, if it succeeded; None until then."""
    error: str | None = None
    """The name of the error it failed with."""
    cause: Any = None
    """What else is known of the failure: data where it is a JSON object, as those of handlers are, else text."""
    failed_state: str | None = None
    """The name of the state in which it failed, timed out or was stopped."""
    version: str | None = field(default=None, repr=False)
    """The ARN of the version that was started, if one was."""
    alias: str | None = field(default=None, repr=False)
    redrives: int = 0
    """How often it has been redriven."""

    @property
    def succeeded(self) -> bool:
        """Whether it has ended well."""
        return self.status is Status.SUCCEEDED

    @property
    def seconds(self) -> float | None:
        """How long it ran; None while it runs."""
        return (self.stopped - self.started).total_seconds() if self.stopped else None

    @property
    def message(self) -> str:
        """The cause in one line: the message of a handler's exception, or the beginning of the text."""
        cause = self.cause.get("errorMessage", self.cause) if isinstance(self.cause, dict) else self.cause
        text = cause if isinstance(cause, str) else "" if cause is None else json.dumps(cause, ensure_ascii=False)
        line = next(iter(text.strip().splitlines()), "")
        return line if len(line) <= 500 else f"{line[:500]}…"

    def raise_for_status(self) -> Self:
        """Itself, if it succeeded or still runs. Raises `ExecutionFailedError`."""
        if self.status.ended and not self.succeeded:
            raise ExecutionFailedError(self)
        return self

    def to_json(self) -> dict[str, Any]:
        """As `workers executions show --json` prints it."""
        return {
            "arn": self.arn,
            "name": self.name,
            "state_machine": self.state_machine,
            "version": self.version,
            "alias": self.alias,
            "status": str(self.status),
            "started": self.started.isoformat(),
            "stopped": self.stopped.isoformat() if self.stopped else None,
            "seconds": self.seconds,
            "redrives": self.redrives,
            "input": self.input,
            "output": self.output,
            "error": self.error,
            "cause": self.cause,
            "failed_state": self.failed_state,
        }


class ExecutionFailedError(WorkersError):
    """An execution failed, timed out or was stopped. `execution` has the particulars."""

    def __init__(self, execution: Execution) -> None:
        where = f" in state {execution.failed_state}" if execution.failed_state else ""
        why = ": ".join(filter(None, (execution.error, execution.message)))
        super().__init__(f"execution {execution.name} {execution.status}{where}{': ' if why else ''}{why}")
        self.execution = execution


def from_description(found: Mapping[str, Any]) -> Execution:
    """The execution in an answer of DescribeExecution or StartSyncExecution, or in an item of ListExecutions."""
    return Execution(
        arn=found["executionArn"],
        name=found["name"],
        state_machine=found["stateMachineArn"],
        status=Status(found["status"]),
        started=found["startDate"],
        stopped=found.get("stopDate"),
        input=_value(found.get("input")),
        output=_value(found.get("output")),
        error=found.get("error"),
        cause=_cause(found.get("cause")),
        version=found.get("stateMachineVersionArn"),
        alias=found.get("stateMachineAliasArn"),
        redrives=found.get("redriveCount", 0),
    )


def _value(text: str | None) -> Any:
    return None if text is None else json.loads(text)


def _cause(text: str | None) -> Any:
    if text is None or not text.startswith("{"):
        return text
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text  # cut somewhere, or no JSON
