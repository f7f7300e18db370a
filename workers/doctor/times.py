"""Heartbeats and timeouts: what a state waits for, and what its worker does."""

from collections.abc import Iterable, Iterator, Mapping

from interceptors.heartbeat import Heartbeat
from workers.doctor.findings import Finding, Level
from workers.doctor.subjects import Use
from workers.supervisor.activity import Activity


def check_times(uses: Iterable[Use], handled: Mapping[str, Activity]) -> Iterator[Finding]:
    """Judges each task that has a handler. That times are missing is told by the definition's own validation."""
    for use in uses:
        if activity := handled.get(use.task.resource):
            yield from _heartbeat(use, activity)
            yield from _timeout(use, activity)


def _heartbeat(use: Use, activity: Activity) -> Iterator[Finding]:
    limit, interval = use.task.heartbeat_seconds, beat_interval(activity)
    if not isinstance(limit, int):
        return
    if interval == 0:
        by_hand = activity.handler.arguments.task_name or activity.handler.arguments.task_position is not None
        message = f"the state waits {limit} s for a heartbeat, and the worker sends none for {activity.name}"
        hint = ": its handler has to call task.heartbeat() often enough" if by_hand else ": set its heartbeat"
        yield Finding("no-beats", use.where, message + hint, Level.WARNING if by_hand else Level.ERROR)
    elif interval >= limit:
        message = (
            f"HeartbeatSeconds is {limit}, and the worker beats every {interval:g} s: longer tasks time out. "
            f"Set it to {_enough(interval)}, or beat more often"
        )
        yield Finding("heartbeat-too-short", use.where, message, Level.ERROR)
    elif 2 * interval >= limit:
        message = (
            f"HeartbeatSeconds is {limit}, and the worker beats every {interval:g} s: one lost beat ends the task. "
            f"Set it to {_enough(interval)}"
        )
        yield Finding("heartbeat-tight", use.where, message)


def _timeout(use: Use, activity: Activity) -> Iterator[Finding]:
    limit, own = use.task.timeout_seconds, activity.handler.timeout
    if own and isinstance(limit, int) and own > limit:
        message = f"the handler may take {own:g} s, and the state waits for {limit}: raise TimeoutSeconds above it"
        yield Finding("timeout-too-short", use.where, message)


def beat_interval(activity: Activity) -> float:
    """Seconds between the heartbeats of an activity's tasks; 0 for none."""
    own = [one.interval for one in activity.interceptors if isinstance(one, Heartbeat)]
    return min((activity.heartbeat if interval is None else interval for interval in own), default=0.0)


def _enough(interval: float) -> int:
    """HeartbeatSeconds that bear the loss of a beat, with time to repeat it."""
    return int(3 * interval) + 1
