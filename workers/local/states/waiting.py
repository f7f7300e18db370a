"""Wait: lets time pass."""

import math
from datetime import datetime
from typing import Any

from workers.local.branch import Branch, State, Step
from workers.local.documents import same_or_new
from workers.local.flow import Flow
from workers.local.values.errors import QUERY_EVALUATION_ERROR, RUNTIME, EvaluationError
from workers.local.values.jsonata import compile_jsonata
from workers.local.values.scope import Evaluate, Scope, compact
from workers.local.values.templates import compile_reference
from workers.local.values.timestamps import parse_timestamp
from workers.machines.model.kinds import MAX_SECONDS
from workers.machines.model.states import Wait


class WaitState(State):
    """A Wait state. Its frame says until when."""

    def __init__(self, name: str, model: Wait, *, jsonata: bool) -> None:
        super().__init__(name, "Wait")
        self._flow = Flow(model, jsonata=jsonata)
        self._next = model.next
        self._until = _until(model, jsonata=jsonata)

    async def run(self, branch: Branch) -> Step:
        frame, flow, raw = branch.frame, self._flow, branch.scope()
        scope = flow.scope(raw)
        if frame.progress is None:
            frame.progress = {"until": self._until(scope, frame.entered_at)}
            branch.save()
        await branch.run.clock.sleep_until(frame.progress["until"])
        given = frame.input
        chosen = same_or_new(scope.data, given)
        return branch.leave(self, self._next, flow.output(raw, given, chosen), flow.variables(raw, chosen.value))


def _until(model: Wait, *, jsonata: bool) -> Any:
    """The moment at which the wait ends, as a function of the scope and of the moment it began."""
    if model.seconds is not None:
        value: Evaluate = compile_jsonata(model.seconds, "Seconds") if jsonata else lambda _: model.seconds
        return lambda scope, began: began + _seconds(value(scope))
    if model.seconds_path is not None:
        path = compile_reference(model.seconds_path, "SecondsPath")
        return lambda scope, began: began + seconds_at(path(scope), str(model.seconds_path), "SecondsPath")
    if model.timestamp is not None:
        text: Evaluate = compile_jsonata(model.timestamp, "Timestamp") if jsonata else lambda _: model.timestamp
        return lambda scope, _: _moment(text(scope), "Timestamp", jsonata=jsonata)
    path = compile_reference(str(model.timestamp_path), "TimestampPath")

    def moment(scope: Scope, _: float) -> float:
        value = path(scope)
        found = parse_timestamp(value) if isinstance(value, str) else None
        if found is None:
            shown = value if isinstance(value, str) else compact(value)
            problem = "does not reference a valid ISO-8601 extended offset date-time format string"
            raise EvaluationError(RUNTIME, f"The TimestampPath parameter {problem}: {model.timestamp_path} == {shown}")
        return found.timestamp()

    return moment


def _seconds(value: Any) -> float:
    """What Seconds says. The bounds are AWS's; so is the wording for JSONata."""
    whole = _whole(value)
    if whole is None or not 0 <= whole <= MAX_SECONDS:
        found = f"Expected an integer in range between 0 and {MAX_SECONDS}, but was: {compact(value)}"
        raise EvaluationError(QUERY_EVALUATION_ERROR, f"The JSONata expression for the field 'Seconds' {found}")
    return whole


def seconds_at(value: Any, path: str, field: str) -> float:
    """The seconds found at `path`, which stands in `field`. Raises `EvaluationError` States.Runtime."""
    shown = value if isinstance(value, str) else compact(value)
    if (whole := _whole(value)) is None:
        raise EvaluationError(RUNTIME, f"The {field} parameter cannot be parsed as a long value: {path} == {shown}")
    if whole < 0:
        raise EvaluationError(RUNTIME, f"The {field} parameter references a negative value: {path} == {shown}")
    return min(whole, MAX_SECONDS)


def _whole(value: Any) -> int | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, float) and math.isfinite(value) and value.is_integer():
        return int(value)
    return value if isinstance(value, int) else None


def _moment(value: Any, field: str, *, jsonata: bool) -> float:
    found: datetime | None = parse_timestamp(value) if isinstance(value, str) else None
    if found is None:
        error = QUERY_EVALUATION_ERROR if jsonata else RUNTIME
        problem = "does not reference a valid ISO-8601 extended offset date-time format string"
        shown = value if isinstance(value, str) else compact(value)
        raise EvaluationError(error, f"The {field} parameter {problem}: {shown}")
    return found.timestamp()
