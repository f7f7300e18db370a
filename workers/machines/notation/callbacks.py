"""A task that somebody else finishes by its key: `resource: callback` with a `task_key`.

It becomes a message with the task token and the key, sent to the queue of `workers.callbacks`.
"""

import re
from typing import Any

from workers.arns import Place, namespaced
from workers.machines.notation.resources import Call
from workers.machines.notation.values import ValueRefusedError

TOKEN, KEY, EXECUTION, ENTERED = "TaskToken", "TaskKey", "Execution", "Entered"
"""The keys of the message."""
TASK_KEY = ("task_key", "TaskKey")
"""The key of a task that says what its key is, in both spellings."""

_RESOURCE = re.compile(r"callback(?::(?P<application>[\w-]+))?", re.ASCII)
_INTEGRATION = "sqs:sendMessage.waitForTaskToken"
_SUFFIXES = {"aws-cn": "amazonaws.com.cn"}
_CONTEXT = {TOKEN: "Task.Token", EXECUTION: "Execution.Id", ENTERED: "State.EnteredTime"}
_EXPRESSIONS = ("$", "States.")


def queue_name(application: str | None, namespace: str | None) -> str:
    """The name of the queue that takes the tokens of `application`'s callbacks."""
    return namespaced(f"{application}-callbacks" if application else "callbacks", namespace)


def is_callback(resource: object) -> bool:
    """Whether a resource is written as a callback: `callback`, or `callback:APPLICATION`."""
    return isinstance(resource, str) and _RESOURCE.fullmatch(resource) is not None


def callback_call(resource: str, key: object, place: Place, namespace: str | None, *, jsonata: bool) -> Call:
    """What a callback calls. Raises `ValueRefusedError` for a key that is none."""
    found = _RESOURCE.fullmatch(resource)
    if found is None:
        raise ValueRefusedError(f"task_key is for callbacks: {resource!r} is none")
    if not isinstance(key, str) or not key:
        raise ValueRefusedError(
            "a callback needs a task_key: a path as $.order_id, or what else makes a text (the activity of that name "
            "is given by its ARN)"
        )
    parameters = {
        "QueueUrl": _queue_url(queue_name(found["application"], namespace), place),
        "MessageBody": _message(key, jsonata=jsonata),
    }
    arn = f"arn:{place.partition}:states:::{_INTEGRATION}"
    return Call(arn, parameters, activity=False, named=True)


def callback_of(arn: str, payload: Any, place: Place, namespace: str | None) -> tuple[str, str] | None:
    """The resource and the key of a task that may be a callback; `callback_call` tells whether it is exact."""
    if not arn.endswith(_INTEGRATION) or not isinstance(payload, dict):
        return None
    url, message = payload.get("QueueUrl"), payload.get("MessageBody")
    if not isinstance(url, str) or not isinstance(message, dict):
        return None
    key = message.get(f"{KEY}.$", message.get(KEY))
    if not isinstance(key, str):
        return None
    if url == _queue_url(queue_name(None, namespace), place):
        return "callback", key
    before, _, after = _queue_url(queue_name("\n", namespace), place).partition("\n")
    if url.startswith(before) and url.endswith(after):
        return f"callback:{url[len(before) : -len(after)]}", key
    return None


def _queue_url(name: str, place: Place) -> str:
    suffix = _SUFFIXES.get(place.partition, "amazonaws.com")
    return f"https://sqs.{place.region}.{suffix}/{place.account}/{name}"


def _message(key: str, *, jsonata: bool) -> dict[str, str]:
    if jsonata:
        return {KEY: key} | {name: f"{{% $states.context.{field} %}}" for name, field in _CONTEXT.items()}
    own = {f"{KEY}.$" if key.startswith(_EXPRESSIONS) else KEY: key}
    return own | {f"{name}.$": f"$$.{field}" for name, field in _CONTEXT.items()}
