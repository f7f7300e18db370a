"""`resource: callback` becomes a message with the task token, and reads back."""

import json
from typing import Any

import pytest

from tests.machines.test_notation import HERE, from_state, of_state
from workers.arns import Place
from workers.machines.notation.reading import read

QUEUE = "https://sqs.eu-central-1.amazonaws.com/123456789012/"
CALLBACKS: list[tuple[dict[str, Any], str, dict[str, str]]] = [
    ({"resource": "callback", "task_key": "$.order.id"}, "prod--callbacks", {"TaskKey.$": "$.order.id"}),
    (
        {"resource": "callback:shop", "task_key": "States.Format('{}-{}', $.a, $.b)", "heartbeat_seconds": 600},
        "prod--shop-callbacks",
        {"TaskKey.$": "States.Format('{}-{}', $.a, $.b)"},
    ),
    (
        {"resource": "callback", "task_key": "the-one", "parameters": {"DelaySeconds": 1}},
        "prod--callbacks",
        {"TaskKey": "the-one"},
    ),
]


@pytest.mark.parametrize(("notation", "queue", "key"), CALLBACKS)
def test_a_callback_is_a_message_with_token_key_and_execution(
    notation: dict[str, Any], queue: str, key: dict[str, str]
):
    state = {"type": "task", **notation, "end": True}
    asl = of_state(state, namespace="prod")
    assert asl["Resource"] == "arn:aws:states:::sqs:sendMessage.waitForTaskToken"
    assert asl["Parameters"]["QueueUrl"] == QUEUE + queue
    context = {"TaskToken.$": "$$.Task.Token", "Execution.$": "$$.Execution.Id", "Entered.$": "$$.State.EnteredTime"}
    message = {**key, **context}
    assert asl["Parameters"]["MessageBody"] == message
    assert from_state(asl, namespace="prod") == state
    assert of_state(from_state(asl), namespace=None) == asl  # elsewhere it is the plain integration


def test_a_callback_in_jsonata():
    state = {"type": "task", "query_language": "JSONata", "resource": "callback", "task_key": "{% $states.input.id %}"}
    asl = of_state(state, place=Place("aws-cn", "cn-north-1", "123456789012"))
    assert asl["Arguments"] == {
        "QueueUrl": "https://sqs.cn-north-1.amazonaws.com.cn/123456789012/callbacks",
        "MessageBody": {
            "TaskKey": "{% $states.input.id %}",
            "TaskToken": "{% $states.context.Task.Token %}",
            "Execution": "{% $states.context.Execution.Id %}",
            "Entered": "{% $states.context.State.EnteredTime %}",
        },
    }
    assert from_state(asl, place=Place("aws-cn", "cn-north-1", "123456789012")) == state


def test_only_what_reads_back_exactly_is_written_as_a_callback():
    asl = of_state({"type": "task", "resource": "callback", "task_key": "$.id"})
    assert from_state(asl)["resource"] == "callback"
    for change in ({"Other": 1}, {"TaskKey.$": "$.id", "TaskKey": "two"}, {"Execution.$": "$$.Execution.Name"}):
        other = json.loads(json.dumps(asl))
        other["Parameters"]["MessageBody"] |= change
        assert from_state(other)["resource"] == "arn:aws:states:::sqs:sendMessage.waitForTaskToken"
        assert of_state(from_state(other)) == other


@pytest.mark.parametrize(
    ("state", "said"),
    [
        ({"resource": "callback"}, "a callback needs a task_key"),
        ({"resource": "callback", "task_key": 7}, "a callback needs a task_key"),
        ({"resource": "add", "task_key": "$.id"}, "task_key is for callbacks: 'add' is none"),
        (
            {"resource": "callback", "task_key": "$.id", "parameters": {"QueueUrl": "u"}},
            "QueueUrl is given twice: in the resource, and among the parameters",
        ),
        (
            {"resource": "callback", "task_key": "$.id", "context": True},
            "context is for activities: arn:aws:states:::sqs:sendMessage.waitForTaskToken is none",
        ),
    ],
)
def test_what_is_no_callback_is_refused(state: dict[str, Any], said: str):
    machine = {"start_at": "S", "states": {"S": {"type": "task", "end": True, **state}}}
    (finding,) = read(machine, place=HERE).findings
    assert finding.message.startswith(said)
    assert finding.where[:2] == ("states", "S")
