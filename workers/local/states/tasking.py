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
from workers.local.values.errors import RUNTIME, EvaluationError, StateError
from workers.local.values.jsonata import compile_jsonata
from workers.local.values.numbers import in_range
from workers.local.values.paths import compile_selection
from workers.local.values.scope import Evaluate, Scope
from workers.local.values.templates import compile_reference
from workers.machines.model.kinds import MAX_SECONDS
from workers.machines.model.states import Task


class TaskState(TryingState):
    """What all Task states have in common."""

    def __init__(self, name: str, model: Task, *, jsonata: bool) -> None:
        super().__init__(name, model, jsonata=jsonata, flow=Flow(model, jsonata=jsonata))
        self.resource = model.resource
        self._timeout = self._limit(model, "timeout_seconds", "TimeoutSeconds")
        self._heartbeat = self._limit(model, "heartbeat_seconds", "HeartbeatSeconds")
        self._role = _role(model, jsonata=jsonata)

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
        if self._role:
            progress["role"] = self._role(scope)
        return progress, given

    def _limit(self, model: Task, field: str, asl: str) -> Callable[[Scope], float] | None:
        if path := getattr(model, f"{field}_path"):
            reference = compile_selection(path)
            return lambda scope: _positive(seconds_at(reference(scope), path, f"{asl}Path"), path, asl)
        value = getattr(model, field) if model.has(field) else None
        if value is None:
            return None
        if not self.jsonata:
            return lambda _: value
        expression = compile_jsonata(value, asl, expected="number")
        return lambda scope: in_range(expression(scope), asl, 1, MAX_SECONDS)


def _positive(seconds: float, path: str, field: str) -> float:
    if seconds > 0:
        return seconds
    raise EvaluationError(RUNTIME, f"The {field}Path parameter references a value that is not positive: {path} == 0")


def _role(model: Task, *, jsonata: bool) -> Evaluate | None:
    """The role of the Credentials, if there are any."""
    if (credentials := model.credentials) is None:
        return None
    if credentials.role_arn_path is not None:
        return compile_reference(credentials.role_arn_path, "RoleArn.$")
    role = credentials.role_arn
    return compile_jsonata(role, "Credentials/RoleArn", expected="string") if jsonata else lambda _: role


def conditions(progress: Progress) -> dict[str, Any]:
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
