"""The envelope around the input of our activities: it carries the context that GetActivityTask does not give.

The worker takes it off again (`workers.envelope`). The fields exist in every execution (Step Functions developer
guide, "Accessing execution data from the Context object"): one that did not would fail the task before it is scheduled.
"""

from typing import Any

from workers.envelope import CONTEXT_KEY, INPUT_KEY

_FIELDS = {
    "execution": "Execution.Id",
    "execution_name": "Execution.Name",
    "state_machine": "StateMachine.Name",
    "state": "State.Name",
    "entered": "State.EnteredTime",
    "retry": "State.RetryCount",
    "redrive": "Execution.RedriveCount",
}
_JSONPATH = {f"{name}.$": f"$$.{field}" for name, field in _FIELDS.items()}
_JSONATA = {name: f"{{% $states.context.{field} %}}" for name, field in _FIELDS.items()}
_WHOLE_INPUT = "{% $states.input %}"


def payload_key(*, jsonata: bool) -> str:
    """The key of a task that says what its resource is given."""
    return "Arguments" if jsonata else "Parameters"


def wrap(task: dict[str, Any], *, jsonata: bool) -> dict[str, Any]:
    """The ASL of a task with its payload, or else its whole input, in the envelope."""
    key = payload_key(jsonata=jsonata)
    context = _JSONATA if jsonata else _JSONPATH
    if key in task:
        return task | {key: {CONTEXT_KEY: dict(context), INPUT_KEY: task[key]}}
    whole = {INPUT_KEY: _WHOLE_INPUT} if jsonata else {f"{INPUT_KEY}.$": "$"}
    return task | {key: {CONTEXT_KEY: dict(context)} | whole}


def unwrap(task: dict[str, Any], *, jsonata: bool) -> dict[str, Any] | None:
    """The ASL of a task without the envelope; None where it has none."""
    key = payload_key(jsonata=jsonata)
    payload = task.get(key)
    if not isinstance(payload, dict) or payload.get(CONTEXT_KEY) != (_JSONATA if jsonata else _JSONPATH):
        return None
    if payload == wrap({}, jsonata=jsonata)[key]:
        return {name: value for name, value in task.items() if name != key}
    return task | {key: payload[INPUT_KEY]} if payload.keys() == {CONTEXT_KEY, INPUT_KEY} else None
