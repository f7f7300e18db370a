"""Retry and Catch."""

import random
from typing import Any

from workers.local.documents import DATA_LIMIT_EXCEEDED, Document, same_or_new
from workers.local.flow import compile_assign, with_error
from workers.local.values.errors import RUNTIME, StateError
from workers.local.values.jsonata import compile_jsonata
from workers.local.values.result_paths import compile_result_path
from workers.local.values.scope import Scope
from workers.machines.model.failures import Catcher as CatcherModel
from workers.machines.model.failures import Failing
from workers.machines.model.failures import Retrier as RetrierModel

TIMEOUT = "States.Timeout"
HEARTBEAT_TIMEOUT = "States.HeartbeatTimeout"


class MissedHeartbeatError(StateError):
    """A task missed a heartbeat. Histories say States.Timeout; `ErrorEquals` may say either."""

    def __init__(self) -> None:
        super().__init__(TIMEOUT)


class Failures:
    """What a state does about its failures."""

    __slots__ = ("catchers", "retriers")

    def __init__(self, model: Failing, *, jsonata: bool) -> None:
        self.retriers = tuple(map(_Retrier, model.retry))
        self.catchers = tuple(
            Catcher(catcher, f"Catch[{index}]", jsonata=jsonata) for index, catcher in enumerate(model.catch)
        )

    def retry(self, error: StateError, counts: list[int]) -> float | None:
        """Seconds until the state runs again, counted in `counts`; None when it does not.

        The first retrier that names the error decides, even if it is used up.
        """
        for index, retrier in enumerate(self.retriers):
            if matches(retrier.errors, error):
                if len(counts) < len(self.retriers):
                    counts.extend([0] * (len(self.retriers) - len(counts)))
                if counts[index] >= retrier.attempts:
                    return None
                counts[index] += 1
                return retrier.delay(counts[index])
        return None

    def catcher(self, error: StateError) -> "Catcher | None":
        """The first catcher that names the error."""
        return next((catcher for catcher in self.catchers if matches(catcher.errors, error)), None)


class _Retrier:
    __slots__ = ("_backoff", "_interval", "_jitter", "_longest", "attempts", "errors")

    def __init__(self, model: RetrierModel) -> None:
        self.errors = frozenset(model.error_equals)
        self.attempts = int(model.max_attempts)
        self._interval = float(model.interval_seconds)
        self._backoff = float(model.backoff_rate)
        self._longest = float(model.max_delay_seconds) if model.max_delay_seconds is not None else None
        self._jitter = model.jitter_strategy == "FULL"

    def delay(self, attempt: int) -> float:
        try:
            seconds = self._interval * self._backoff ** (attempt - 1)
        except OverflowError:
            seconds = 1e9
        if self._longest is not None:
            seconds = min(seconds, self._longest)
        return random.uniform(0, seconds) if self._jitter else seconds  # noqa: S311 - no secret depends on it


class Catcher:
    """Where a state that failed goes, and with what."""

    __slots__ = ("_assign", "_jsonata", "_output", "_place", "errors", "next")

    def __init__(self, model: CatcherModel, where: str, *, jsonata: bool) -> None:
        self.errors = frozenset(model.error_equals)
        self.next = model.next
        self._jsonata = jsonata
        self._place = compile_result_path(model.result_path)
        self._output = compile_jsonata(model.output, f"{where}/Output") if jsonata and model.has("output") else None
        self._assign = compile_assign(model.assign, jsonata=jsonata, where=f"{where}/")

    def caught(self, raw: Scope, given: Document, error: StateError) -> tuple[Document, dict[str, Any] | None]:
        """The state's output and the variables it sets. Raises `EvaluationError`."""
        error_output = {"Error": error.error or "", "Cause": error.cause or ""}
        if self._jsonata:
            scope = with_error(raw, error_output)
            value = self._output(scope) if self._output else error_output
        else:
            scope = raw.on(error_output)
            value = self._place(raw.data, error_output)
        return same_or_new(value, given), self._assign(scope) if self._assign else None


def matches(names: frozenset[str], error: StateError) -> bool:
    """Whether ErrorEquals `names` an error (Step Functions developer guide, "Error names")."""
    name = error.error
    if name == RUNTIME:
        return False
    if name in names:
        return True
    missed = isinstance(error, MissedHeartbeatError)
    if missed and HEARTBEAT_TIMEOUT in names:
        return True
    if name == DATA_LIMIT_EXCEEDED:
        return False
    return "States.ALL" in names or ("States.TaskFailed" in names and name not in {TIMEOUT, HEARTBEAT_TIMEOUT})
