"""Wait: lets time pass."""

from datetime import datetime
from typing import Any

from workers.local.branch import Branch, State, Step
from workers.local.documents import same_or_new
from workers.local.flow import Flow
from workers.local.values.errors import QUERY_EVALUATION_ERROR, RUNTIME, EvaluationError
from workers.local.values.jsonata import compile_jsonata
from workers.local.values.numbers import in_range, whole
from workers.local.values.paths import compile_lookup
from workers.local.values.scope import MISSING, Evaluate, Scope, compact
from workers.local.values.timestamps import parse_timestamp
from workers.machines.language.jsonata import body, is_expression
from workers.machines.model.kinds import MAX_SECONDS
from workers.machines.model.states import Wait


class WaitState(State):
    """A Wait state. Its frame says until when."""

    takes_time = True

    def __init__(self, name: str, model: Wait, *, jsonata: bool) -> None:
        super().__init__(name, "Wait")
        self._flow = Flow(model, jsonata=jsonata)
        self._next = model.next
        self._until = _until(model, jsonata=jsonata)

    async def run(self, branch: Branch) -> Step:
        frame, flow, raw = branch.frame, self._flow, branch.scope()
        scope = flow.scope(raw)
        if frame.progress is None:
            began = max(frame.entered_at, branch.run.execution.redriven or 0.0)  # a redrive waits again
            frame.progress = {"until": self._until(scope, began)}
            branch.save()
        await branch.run.clock.sleep_until(frame.progress["until"])
        given = frame.input
        chosen = same_or_new(scope.data, given)
        return branch.leave(self, self._next, flow.output(raw, given, chosen), flow.variables(raw, chosen.value))


def _until(model: Wait, *, jsonata: bool) -> Any:
    """The moment at which the wait ends, as a function of the scope and of the moment it began."""
    if model.seconds is not None:
        value: Evaluate = (
            compile_jsonata(model.seconds, "Seconds", expected="number") if jsonata else lambda _: model.seconds
        )
        return lambda scope, began: began + in_range(value(scope), "Seconds", 0, MAX_SECONDS)
    if model.seconds_path is not None:
        path = _referenced(model.seconds_path, "SecondsPath")
        return lambda scope, began: began + seconds_at(path(scope), str(model.seconds_path), "SecondsPath")
    if model.timestamp is not None:
        if not jsonata:
            return lambda _, __: _moment(model.timestamp, "", "Timestamp", RUNTIME)
        text = compile_jsonata(model.timestamp, "Timestamp", expected="string")
        source = f"{body(model.timestamp)} == " if is_expression(model.timestamp) else ""
        return lambda scope, _: _moment(text(scope), source, "Timestamp", QUERY_EVALUATION_ERROR)
    path = _referenced(str(model.timestamp_path), "TimestampPath")

    return lambda scope, _: _moment(path(scope), f"{model.timestamp_path} == ", "TimestampPath", RUNTIME)


def _referenced(text: str, field: str) -> Evaluate:
    """What the path `text`, which stands in `field`, leads to."""
    lookup = compile_lookup(text)

    def evaluate(scope: Scope) -> Any:
        if (found := lookup(scope)) is MISSING:
            raise EvaluationError(RUNTIME, f"The {field} parameter does not reference an input value: {text}")
        return found

    return evaluate


def seconds_at(value: Any, path: str, field: str) -> float:
    """The seconds found at `path`, which stands in `field`. Raises `EvaluationError` States.Runtime."""
    shown = value if isinstance(value, str) else compact(value)
    if (found := whole(value)) is None:
        raise EvaluationError(RUNTIME, f"The {field} parameter cannot be parsed as a long value: {path} == {shown}")
    if found < 0:
        raise EvaluationError(RUNTIME, f"The {field} parameter references a negative value: {path} == {shown}")
    return min(found, MAX_SECONDS)


def _moment(value: Any, source: str, field: str, error: str) -> float:
    """The moment in `value`, which `source` tells the origin of. Raises `EvaluationError` with the name `error`."""
    found: datetime | None = parse_timestamp(value) if isinstance(value, str) else None
    if found is None:
        problem = "does not reference a valid ISO-8601 extended offset date-time format string"
        shown = value if isinstance(value, str) else compact(value)
        raise EvaluationError(error, f"The {field} parameter {problem}: {source}{shown}")
    return found.timestamp()
