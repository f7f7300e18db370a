"""Task: has something done within a time."""

from collections.abc import Callable
from typing import Any

from workers.local.branch import Branch
from workers.local.documents import Document, parsed, same_or_new
from workers.local.failures import TIMEOUT, MissedHeartbeatError
from workers.local.flow import Flow
from workers.local.frames import Progress
from workers.local.states.trying import TryingState
from workers.local.states.waiting import seconds_at
from workers.local.tasks import Failure, Outcome, Success, TimedOut, new_token
from workers.local.values.errors import StateError
from workers.local.values.jsonata import compile_jsonata
from workers.local.values.scope import Evaluate, Scope
from workers.local.values.templates import compile_reference
from workers.machines.model.states import Task


class TaskState(TryingState):
    """What all Task states have in common."""

    def __init__(self, name: str, model: Task, *, jsonata: bool) -> None:
        super().__init__(name, model, jsonata=jsonata, flow=Flow(model, jsonata=jsonata))
        self.resource = model.resource
        self._timeout = self._limit(model, "timeout_seconds", "TimeoutSeconds")
        self._heartbeat = self._limit(model, "heartbeat_seconds", "HeartbeatSeconds")

    def prepare(self, branch: Branch) -> tuple[Progress, Document]:
        """What the frame holds of a new attempt, and what the task works on."""
        token = new_token(branch.run.execution.number)
        branch.context["Task"] = {"Token": token}
        scope = self.flow.scope(branch.scope())
        value = self.flow.arguments(scope) if self.flow.arguments else scope.data
        given = same_or_new(value, branch.frame.input).checked(self.name)
        progress: Progress = {"token": token}
        for name, limit in (("timeout", self._timeout), ("heartbeat", self._heartbeat)):
            if limit:
                progress[name] = limit(scope)
        return progress, given

    def _limit(self, model: Task, field: str, asl: str) -> Callable[[Scope], float] | None:
        if path := getattr(model, f"{field}_path"):
            reference = compile_reference(path, f"{asl}Path")
            return lambda scope: seconds_at(reference(scope), path, f"{asl}Path")
        value = getattr(model, field) if model.has(field) else None
        if value is None:
            return None
        expression: Evaluate = compile_jsonata(value, asl, expected="number") if self.jsonata else lambda _: value
        return expression


def limits(progress: Progress) -> dict[str, Any]:
    """How events tell of a task's deadlines."""
    names = (("timeout", "timeoutInSeconds"), ("heartbeat", "heartbeatInSeconds"))
    return {detail: progress[name] for name, detail in names if progress.get(name) is not None}


def result(outcome: Outcome) -> Document:
    """The result of a task that succeeded. Raises `StateError` for one that did not."""
    match outcome:
        case Success(output):
            return parsed(output)
        case Failure(error, cause):
            raise StateError(error, cause)
        case TimedOut(missed):
            raise MissedHeartbeatError if missed == "heartbeat" else StateError(TIMEOUT)


def failure(error: str | None, cause: str | None) -> dict[str, str]:
    """How events tell of an error."""
    return {name: value for name, value in (("error", error), ("cause", cause)) if value is not None}
