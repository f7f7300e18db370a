"""What tasks call, the envelope around their input, and the retrier for deploys - both ways."""

import json
from typing import Any

import pytest

from workers.arns import Place
from workers.envelope import unwrap
from workers.machines.notation.reading import SOMEWHERE, read
from workers.machines.notation.writing import write
from workers.registry import Registry

HERE = Place("aws", "eu-central-1", "123456789012")
CHINA = Place("aws-cn", "cn-north-1", "123456789012")
ADD = "arn:aws:states:eu-central-1:123456789012:activity:add"
CONTEXT = {
    "execution.$": "$$.Execution.Id",
    "execution_name.$": "$$.Execution.Name",
    "state_machine.$": "$$.StateMachine.Name",
    "state.$": "$$.State.Name",
    "entered.$": "$$.State.EnteredTime",
    "retry.$": "$$.State.RetryCount",
    "redrive.$": "$$.Execution.RedriveCount",
}
DEPLOY = {
    "ErrorEquals": ["Worker.ShuttingDown"],
    "IntervalSeconds": 1,
    "MaxAttempts": 100,
    "BackoffRate": 2,
    "MaxDelaySeconds": 20,
    "JitterStrategy": "FULL",
}


def task(place: Place = HERE, namespace: str | None = None, machine: dict[str, Any] | None = None, **state: Any) -> Any:
    notation = {"start_at": "T", **(machine or {}), "states": {"T": {"type": "task", **state}}}
    reading = read(notation, place=place, namespace=namespace)
    assert reading.findings == []
    return reading.asl["States"]["T"]


def back(
    place: Place | None = HERE, namespace: str | None = None, machine: dict[str, Any] | None = None, **state: Any
) -> Any:
    asl = {"StartAt": "T", **(machine or {}), "States": {"T": {"Type": "Task", **state}}}
    written = write(asl, place=place, namespace=namespace)
    assert read(written, place=place or HERE, namespace=namespace).asl == asl
    return written["states"]["T"]


@pytest.mark.parametrize(
    ("resource", "place", "namespace", "arn"),
    [
        ("add", HERE, None, ADD),
        ("add", HERE, "prod", "arn:aws:states:eu-central-1:123456789012:activity:prod--add"),
        ("add", CHINA, None, "arn:aws-cn:states:cn-north-1:123456789012:activity:add"),
        ("lambda:f", HERE, "prod", "arn:aws:lambda:eu-central-1:123456789012:function:f"),
        ("lambda:f:live", CHINA, None, "arn:aws-cn:lambda:cn-north-1:123456789012:function:f:live"),
        (ADD, CHINA, "prod", ADD),
        (
            "arn:aws:states:::states:startExecution.sync:2",
            HERE,
            "prod",
            "arn:aws:states:::states:startExecution.sync:2",
        ),
        ("arn:aws-us-gov:states:::sns:publish", HERE, None, "arn:aws-us-gov:states:::sns:publish"),
        ("${AddActivity}", HERE, "prod", "${AddActivity}"),
    ],
)
def test_names_become_arns_and_arns_stay(resource: str, place: Place, namespace: str | None, arn: str):
    found = read({"states": {"T": {"type": "task", "resource": resource}}}, place=place, namespace=namespace)
    assert found.asl["States"]["T"]["Resource"] == arn
    again = write(found.asl, place=place, namespace=namespace)
    named = not resource.startswith(("arn:", "$"))
    assert again["states"]["T"] == {"type": "task", "resource": resource}
    assert found.named is named


def test_a_handler_is_a_resource():
    registry = Registry()

    @registry.activity("add")
    async def add(x: int, y: int) -> int:
        return x + y

    assert task(resource=registry["add"])["Resource"] == ADD


def test_services_get_the_name_as_a_parameter():
    asl = task(resource="glue:nightly", parameters={"Arguments": {"--day.$": "$.day"}})
    assert asl["Resource"] == "arn:aws:states:::glue:startJobRun.sync"
    assert json.dumps(asl["Parameters"]) == '{"JobName": "nightly", "Arguments": {"--day.$": "$.day"}}'
    assert back(**asl) == {
        "type": "task",
        "resource": "glue:nightly",
        "parameters": {"Arguments": {"--day.$": "$.day"}},
    }


def test_services_in_jsonata_and_in_other_partitions():
    asl = task(CHINA, machine={"query_language": "JSONata"}, resource="batch:render:3", arguments={"JobQueue": "q"})
    assert asl["Resource"] == "arn:aws-cn:states:::batch:submitJob.sync"
    assert asl["Arguments"] == {"JobDefinition": "render:3", "JobQueue": "q"}
    written = back(CHINA, machine={"QueryLanguage": "JSONata"}, **asl)
    assert written == {"type": "task", "resource": "batch:render:3", "arguments": {"JobQueue": "q"}}


@pytest.mark.parametrize(
    "parameters",
    [None, {}, {"JobName": 3}, {"JobName.$": "$.job"}, {"Arguments": {}, "JobName": "not first"}, {"JobName": ""}],
)
def test_a_service_whose_name_cannot_be_taken_out_exactly_stays_an_arn(parameters: Any):
    asl = {"Resource": "arn:aws:states:::glue:startJobRun.sync"} | (
        {} if parameters is None else {"Parameters": parameters}
    )
    assert back(**asl)["resource"] == asl["Resource"]


def test_the_envelope_carries_the_context_beside_the_whole_input():
    assert task(resource="add")["Parameters"] == {"_context": CONTEXT, "input.$": "$"}


def test_the_envelope_carries_the_parameters():
    parameters = {"x.$": "$.x", "fixed": None}
    asl = task(resource="add", parameters=parameters)
    assert asl["Parameters"] == {"_context": CONTEXT, "input": parameters}
    assert back(**asl) == {"type": "task", "resource": "add", "parameters": parameters}


def test_the_envelope_in_jsonata():
    jsonata = {name.removesuffix(".$"): f"{{% $states.context{path[2:]} %}}" for name, path in CONTEXT.items()}
    machine = {"query_language": "JSONata"}
    assert task(machine=machine, resource="add")["Arguments"] == {"_context": jsonata, "input": "{% $states.input %}"}
    asl = task(resource="add", query_language="JSONata", arguments="{% $states.input.x %}")
    assert asl["Arguments"] == {"_context": jsonata, "input": "{% $states.input.x %}"}
    assert back(**asl) == {
        "type": "task",
        "query_language": "JSONata",
        "resource": "add",
        "arguments": "{% $states.input.x %}",
    }


def test_the_worker_takes_off_what_the_definition_puts_on():
    parameters = task(resource="add", parameters={"x": 1})["Parameters"]
    sent = {
        "_context": {key.removesuffix(".$"): "value" for key in parameters["_context"]},
        "input": parameters["input"],
    }
    context, given = unwrap(sent)
    assert given == {"x": 1}
    assert context is not None
    assert (context.execution, context.execution_name, context.state_machine, context.state) == ("value",) * 4


def test_only_what_is_called_by_name_gets_an_envelope_and_a_retrier_of_its_own():
    for resource in (ADD, "lambda:f", "glue:j", "${Add}", "arn:aws:states:::sns:publish"):
        asl = task(resource=resource)
        assert "Retry" not in asl
        assert "_context" not in asl.get("Parameters", {})


def test_both_can_be_turned_off_for_a_task_and_for_the_machine():
    off = {"context": False, "deploy_retry": False}
    bare = {"Type": "Task", "Resource": ADD}
    assert task(resource="add", **off) == bare
    assert task(machine=off, resource="add") == bare
    assert task(machine=off, resource="add", context=True, deploy_retry=True) == task(resource="add")
    assert task(machine={"Context": False, "DeployRetry": False}, resource="add") == bare


def test_both_can_be_turned_on_for_an_activity_given_by_arn():
    on = {"context": True, "deploy_retry": True}
    assert task(resource=ADD, **on) == task(resource="add")
    assert task(resource="${Add}", **on) == task(resource="add") | {"Resource": "${Add}"}
    assert back(None, **task(resource="add")) == {"type": "task", "resource": ADD, **on}


def test_options_reach_nested_states():
    inner = {"start_at": "I", "states": {"I": {"type": "task", "resource": "add", "end": True}}}
    machine = {
        "context": False,
        "start_at": "M",
        "states": {"M": {"type": "map", "item_processor": inner, "end": True}},
    }
    asl = read(machine, place=HERE).asl
    nested = asl["States"]["M"]["ItemProcessor"]["States"]["I"]
    assert "Parameters" not in nested
    assert nested["Retry"] == [DEPLOY]


def test_deploys_get_a_retrier_before_all_others():
    own = {"error_equals": "States.ALL", "max_attempts": 1}
    asl = task(resource="add", retry=[own])
    assert asl["Retry"] == [DEPLOY, {"ErrorEquals": ["States.ALL"], "MaxAttempts": 1}]
    assert back(**asl) == {"type": "task", "resource": "add", "retry": [own]}


def test_a_retrier_of_ones_own_for_deploys_is_left_alone():
    own = {"error_equals": ["X", "Worker.ShuttingDown"], "max_attempts": 7}
    asl = task(resource="add", retry=[own])
    assert asl["Retry"] == [{"ErrorEquals": ["X", "Worker.ShuttingDown"], "MaxAttempts": 7}]
    assert back(**asl) == {"type": "task", "resource": "add", "retry": [own]}


@pytest.mark.parametrize(
    "state",
    [
        {"Parameters": {"_context": CONTEXT}},
        {"Parameters": {"_context": CONTEXT, "input.$": "$.other"}},
        {"Parameters": {"_context": CONTEXT, "input": {}, "more": 1}},
        {"Parameters": {"input": {}, "_context": CONTEXT}},
        {"Parameters": {"_context": dict(reversed(CONTEXT.items())), "input": {}}},
        {"Parameters": {"_context": {"execution.$": "$$.Execution.Id"}, "input": {}}},
        {"Parameters": {"_context": CONTEXT, "input": "{% $states.input %}"}},
        {"Parameters": "odd"},
        {"Retry": []},
        {"Retry": [DEPLOY | {"BackoffRate": 2.0}]},
        {"Retry": [DEPLOY | {"MaxAttempts": 5}]},
        {"Retry": [DEPLOY, DEPLOY]},
        {"Retry": [{"ErrorEquals": ["X"]}, DEPLOY]},
        {"Retry": [dict(reversed(DEPLOY.items()))]},
        {"Retry": "odd"},
        {"Resource": None},
    ],
)
def test_what_only_resembles_them_is_kept_exactly(state: dict[str, Any]):
    asl = {"Type": "Task", "Resource": ADD, **state}
    written = write({"StartAt": "T", "States": {"T": asl}}, place=HERE)
    again = read(written, place=HERE).asl["States"]["T"]
    assert {key: json.dumps(value) for key, value in again.items()} == {
        key: json.dumps(value) for key, value in asl.items()
    }


def test_names_outside_the_place_or_the_namespace_stay_arns():
    assert back(CHINA, Resource=ADD)["resource"] == ADD
    assert back(HERE, "prod", Resource=ADD)["resource"] == ADD
    assert back(None, Resource=ADD)["resource"] == ADD
    assert back(HERE, None, Resource=ADD.replace("add", "prod--add"))["resource"] == "prod--add"
    odd = ADD.replace("add", "a b")
    assert back(HERE, Resource=odd)["resource"] == odd


def test_what_every_task_says_is_said_once():
    function = "arn:aws:lambda:eu-central-1:123456789012:function:f"
    states = {name: {"Type": "Task", "Resource": ADD, "End": True} for name in "AB"}
    asl = {"StartAt": "A", "States": states | {"F": {"Type": "Task", "Resource": function, "End": True}}}
    states = asl["States"]
    written = write(asl, place=HERE)
    tasks = {name: {"type": "task", "resource": "add", "end": True} for name in "AB"}
    assert written == {
        "context": False,
        "deploy_retry": False,
        "start_at": "A",
        "states": tasks | {"F": {"type": "task", "resource": "lambda:f", "end": True}},
    }
    assert read(written, place=HERE).asl == asl
    states["B"] |= {"Parameters": {"_context": CONTEXT, "input.$": "$"}}
    written = write(asl, place=HERE)
    assert "context" not in written
    assert written["states"]["A"]["context"] is False
    assert read(written, place=HERE).asl == asl


def test_the_activities_of_a_definition():
    states = {
        "A": {"type": "task", "resource": "add"},
        "B": {"type": "task", "resource": ADD.replace("add", "other")},
        "C": {"type": "task", "resource": "add"},
        "D": {"type": "task", "resource": "lambda:f"},
    }
    found = read({"states": states}, place=HERE)
    assert list(found.activities) == [ADD, ADD.replace("add", "other")]


def test_a_definition_can_be_read_before_it_is_known_where_it_goes():
    asl = read({"states": {"T": {"type": "task", "resource": "add"}}}).asl
    assert asl["States"]["T"]["Resource"] == SOMEWHERE.activity("add")
