"""Errors: raised by handlers, retried and caught by machines."""

import builtins
from collections.abc import Iterable, Iterator, Mapping

from workers.doctor.findings import Finding, Level
from workers.doctor.raised import Raised, raised_by
from workers.doctor.subjects import Use
from workers.errors import ErrorName
from workers.machines.model.failures import Failing
from workers.supervisor.activity import Activity

_EVERYTHING = frozenset({"States.ALL", "States.TaskFailed"})
"""They match whatever a handler raises (developer guide, "Error names")."""
_OURS = "Worker."


def check_errors(uses: Iterable[Use], handled: Mapping[str, Activity]) -> Iterator[Finding]:
    """Compares what handlers raise with what the states around them retry and catch, as far as their source shows."""
    known: dict[str, Raised] = {}
    for use in uses:
        activity = handled.get(use.task.resource)
        if activity is None:
            continue
        if activity.arn not in known:
            known[activity.arn] = raised_by(activity.handler.function)
        yield from _never_caught(use, activity, known[activity.arn])
        yield from _never_raised(use, activity, known[activity.arn])


def _never_caught(use: Use, activity: Activity, raised: Raised) -> Iterator[Finding]:
    around = [state for state in (use.task, *use.around) if isinstance(state, Failing)]
    matched = {name for state in around for name in _matched(state)}
    if matched & _EVERYTHING:
        return
    for name in raised.names.keys() - matched:
        message = (
            f"{activity.name} raises {name} ({_short(raised.names[name])}), and nothing retries or catches it: it ends "
            "the execution. If it should, catch it all the same, and say so in a Fail state"
        )
        yield Finding("never-caught", use.where, message)


def _never_raised(use: Use, activity: Activity, raised: Raised) -> Iterator[Finding]:
    for name in sorted(_matched(use.task)):
        if name.startswith(_OURS):
            if name not in set(ErrorName):
                message = f"there is no error {name!r}: those of workers are listed in the documentation"
                yield Finding("no-such-error", use.where, message)
        elif not name.startswith("States.") and name not in raised.names and raised.whole and not _builtin(name):
            others = ", ".join(sorted(raised.names)) or "none"
            message = f"nothing that {activity.name} shows in its source raises {name!r}. What it raises: {others}"
            yield Finding(
                "never-raised", use.where, message, Level.NOTE if _imported(activity, name) else Level.WARNING
            )


def _matched(state: Failing) -> set[str]:
    retried = {name for retrier in state.retry for name in retrier.error_equals}
    return retried | {name for catcher in state.catch for name in catcher.error_equals}


def _builtin(name: str) -> bool:
    """Whether it is an exception of Python's own, which any library raises."""
    found = getattr(builtins, name, None)
    return isinstance(found, type) and issubclass(found, BaseException)


def _imported(activity: Activity, name: str) -> bool:
    """Whether the handler's module knows an exception of that name: a library may raise it."""
    names = getattr(activity.handler.function, "__globals__", {})
    return isinstance(names.get(name), type)


def _short(place: str) -> str:
    return place.rpartition("/")[2]
