"""The rules of tasks, and advice on their timeouts."""

import json
import re
from typing import Any

from workers.machines.validation.failures import ALL, HEARTBEAT_TIMEOUT, TIMEOUT, matched
from workers.machines.validation.place import At

_ACTIVITY = re.compile(r"arn:[^:]+:states:[^:]*:[^:]*:activity:.+")
_CALLBACK = ".waitForTaskToken"


def is_activity(resource: Any) -> bool:
    """Whether workers do what `resource` names."""
    return isinstance(resource, str) and bool(_ACTIVITY.fullmatch(resource))


def check_task(task: dict[str, Any], at: At) -> None:
    """Judges a task beyond its single fields."""
    _check_heartbeat(task, at)
    resource = task.get("Resource")
    if not isinstance(resource, str):
        return
    activity, callback = is_activity(resource), resource.endswith(_CALLBACK)
    if activity:
        at.report.activity = True
    if at.express and (activity or callback or ".sync" in resource):
        at.error("not-in-express", f"Express executions cannot wait for {resource}: use STANDARD ones", "Resource")
    if callback and not _sends_token(task):
        key = "Arguments" if at.jsonata else "Parameters"
        token = "{% $states.context.Task.Token %}" if at.jsonata else "$$.Task.Token"
        at.warning("no-token", f"nobody can finish this task: send the task token, {token}, in `{key}`")
    if activity or callback:
        _advise(task, at)
    elif ".sync" in resource and not task.keys() & {"TimeoutSeconds", "TimeoutSecondsPath"}:
        at.warning("no-timeout", _NO_TIMEOUT)


_NO_TIMEOUT = "has no `TimeoutSeconds`: without one it may run for 99,999,999 seconds, which are three years"


def _check_heartbeat(task: dict[str, Any], at: At) -> None:
    timeout, heartbeat = task.get("TimeoutSeconds"), task.get("HeartbeatSeconds")
    if isinstance(timeout, int) and isinstance(heartbeat, int) and heartbeat >= timeout:
        message = f"must be below `TimeoutSeconds`, which is {timeout}: found {heartbeat}"
        at.error("heartbeat-not-below-timeout", message, "HeartbeatSeconds")


def _sends_token(task: dict[str, Any]) -> bool:
    payload = json.dumps([task.get("Parameters"), task.get("Arguments"), task.get("InputPath")])
    return "$$.Task.Token" in payload or "$states.context" in payload or '"$$"' in payload


def _advise(task: dict[str, Any], at: At) -> None:
    timed = task.keys() & {"TimeoutSeconds", "TimeoutSecondsPath"}
    beating = task.keys() & {"HeartbeatSeconds", "HeartbeatSecondsPath"}
    if not timed:
        at.warning("no-timeout", _NO_TIMEOUT)
    if not beating:
        at.warning("no-heartbeat", "has no `HeartbeatSeconds`: a worker that dies is not noticed before the timeout")
    names = matched(task) | at.matched
    if not names.isdisjoint({ALL, TIMEOUT}):
        return
    missing = [name for name, on in ((TIMEOUT, timed), (HEARTBEAT_TIMEOUT, beating)) if on and name not in names]
    if missing:
        what = " and ".join(missing)
        at.warning("timeout-not-handled", f"no `Retry` or `Catch` matches {what} (States.TaskFailed does not match it)")
