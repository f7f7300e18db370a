"""The rules of Retry and Catch."""

import re
from typing import Any

from workers.machines.validation.expressions import suggestion
from workers.machines.validation.place import At, objects

ALL = "States.ALL"
TIMEOUT = "States.Timeout"
HEARTBEAT_TIMEOUT = "States.HeartbeatTimeout"
_KNOWN = [
    ALL,
    "States.BranchFailed",
    "States.DataLimitExceeded",
    "States.ExceedToleratedFailureThreshold",
    HEARTBEAT_TIMEOUT,
    "States.Http.Socket",
    "States.IntrinsicFailure",
    "States.ItemReaderFailed",
    "States.NoChoiceMatched",
    "States.ParameterPathFailure",
    "States.Permissions",
    "States.QueryEvaluationError",
    "States.ResultPathMatchFailure",
    "States.ResultWriterFailed",
    "States.Runtime",
    "States.TaskFailed",
    TIMEOUT,
]
"""The errors that Step Functions itself reports (developer guide, "Error names")."""
_HTTP_STATUS = re.compile(r"States\.Http\.StatusCode\.[0-9]{3}")
"""What an HTTP task reports when the API answers with an error (developer guide, "Call HTTPS APIs")."""


def check_failures(state: dict[str, Any], at: At) -> None:
    """Judges the error names of a state's retriers and catchers, together."""
    for key in ("Retry", "Catch"):
        entries = state.get(key)
        seen: dict[str, int] = {}
        for index, entry in objects(entries):
            names = _names(entry)
            place = at.into(key, index, "ErrorEquals")
            _check_names(names, place)
            _check_all(names, place, last=isinstance(entries, list) and index == len(entries) - 1)
            _check_seen(names, seen, index, place, f"`{key}`")
    for index, retrier in objects(state.get("Retry")):
        _check_delays(retrier, at.into("Retry", index))


def matched(state: dict[str, Any]) -> frozenset[str]:
    """All error names that a state retries or catches."""
    return frozenset(
        name for key in ("Retry", "Catch") for _, entry in objects(state.get(key)) for name in _names(entry)
    )


def _names(entry: dict[str, Any]) -> list[str]:
    names = entry.get("ErrorEquals")
    return [name for name in names if isinstance(name, str)] if isinstance(names, list) else []


def _check_names(names: list[str], at: At) -> None:
    for index, name in enumerate(names):
        if not name:
            at.error("empty", "an error name cannot be empty", index)
        elif name.startswith("States.") and name not in _KNOWN and not _HTTP_STATUS.fullmatch(name):
            message = f"names that start with States. belong to Step Functions, which has no {name!r}"
            at.error("reserved-name", message + suggestion(name, _KNOWN), index)


def _check_all(names: list[str], at: At, *, last: bool) -> None:
    if ALL not in names:
        return
    if len(names) > 1:
        at.error("states-all", f"{ALL} stands alone in its list: it matches the others already")
    if not last:
        at.error("states-all", f"{ALL} stands in the last entry only: no later one would be reached")


def _check_seen(names: list[str], seen: dict[str, int], index: int, at: At, key: str) -> None:
    for name in names:
        if name in seen and seen[name] != index:
            at.warning("never-reached", f"{name!r} is matched by entry {seen[name]} of {key} already")
        seen.setdefault(name, index)


def _check_delays(retrier: dict[str, Any], at: At) -> None:
    first, most = retrier.get("IntervalSeconds", 1), retrier.get("MaxDelaySeconds")
    if isinstance(first, int) and isinstance(most, int) and most <= first:
        at.error("out-of-range", f"must be above `IntervalSeconds`, which is {first}: found {most}", "MaxDelaySeconds")
