"""From a definition to its machine: names, short resources, the default retrier, a Map's items, other beginnings."""

import copy
from typing import Any

import pytest

from workers.arns import Place
from workers.machines import validate
from workers.machines.problems import Severity
from workers.manager.errors import InvalidError
from workers.manager.model import WorkflowDefinition
from workers.manager.translation.beginning import begin_at
from workers.manager.translation.machine import asl_of, read_machine, translate

PLACE = Place("aws", "us-west-2", "123456789012")
STATES = "arn:aws:states:us-west-2:123456789012"
TERMINATED = {
    "ErrorEquals": ["sfncli.CommandTerminated"],
    "IntervalSeconds": 10,
    "BackoffRate": 1.0,
    "MaxAttempts": 10,
}


def defined(machine: dict[str, Any], *, name: str = "census", version: int = 3, **fields: Any) -> WorkflowDefinition:
    return WorkflowDefinition(name=name, version=version, state_machine=machine, **fields)


def task(resource: str, **fields: Any) -> dict[str, Any]:
    return {"Type": "Task", "Resource": resource, "End": True} | fields


def one(state: dict[str, Any]) -> dict[str, Any]:
    return {"StartAt": "only", "TimeoutSeconds": 60, "States": {"only": state}}


def machine_of(machine: dict[str, Any], **options: Any) -> dict[str, Any]:
    """The ASL of the machine in the namespace `prod`, which is valid."""
    found = translate(defined(machine), place=PLACE, namespace="prod", **options).asl
    assert [problem for problem in validate(found) if problem.severity is Severity.ERROR] == []
    return found


KITCHEN_SINK = {
    "StartAt": "start",
    "TimeoutSeconds": 3600,
    "States": {
        "start": {"Type": "Task", "Resource": "fake-resource-1", "Next": "both"},
        "both": {
            "Type": "Parallel",
            "Branches": [
                {"StartAt": "left", "States": {"left": task("lambda:left")}},
                {"StartAt": "right", "States": {"right": {"Type": "Pass", "End": True}}},
            ],
            "Next": "each",
        },
        "each": {
            "Type": "Map",
            "ItemsPath": "$.items",
            "Iterator": {"StartAt": "item", "States": {"item": task("fake-resource-2")}},
            "Next": "which",
        },
        "which": {
            "Type": "Choice",
            "Choices": [{"Variable": "$.more", "BooleanEquals": True, "Next": "start"}],
            "Default": "end",
        },
        "end": task("fake-resource-3"),
    },
}


def test_15_a_kitchen_sink_is_accepted():
    assert read_machine(KITCHEN_SINK) == KITCHEN_SINK
    asl = machine_of(KITCHEN_SINK)
    assert asl["States"]["start"]["Resource"] == f"{STATES}:activity:prod--fake-resource-1"
    inner = asl["States"]["both"]["Branches"][0]["States"]["left"]
    assert inner["Resource"] == "arn:aws:lambda:us-west-2:123456789012:function:prod--left"
    assert asl["States"]["each"]["Iterator"]["States"]["item"]["Resource"] == f"{STATES}:activity:prod--fake-resource-2"


CHAIN = {
    "StartAt": "a",
    "States": {
        "a": {"Type": "Task", "Resource": "one", "Next": "b"},
        "b": {"Type": "Task", "Resource": "two", "Next": "c"},
        "c": task("three"),
    },
}


@pytest.mark.parametrize(("start_at", "left"), [("a", "abc"), ("b", "bc"), ("c", "c"), (None, "abc")])
def test_16_states_before_the_beginning_are_left_out(start_at: str | None, left: str):
    asl = machine_of(CHAIN, start_at=start_at)
    assert asl["StartAt"] == (start_at or "a")
    assert "".join(asl["States"]) == left


def test_16_a_loop_keeps_what_it_leads_back_to():
    asl = machine_of(KITCHEN_SINK, start_at="which")
    assert set(asl["States"]) == set(KITCHEN_SINK["States"])


def test_16_there_must_be_such_a_state():
    with pytest.raises(InvalidError, match="Invalid StartAt state nowhere"):
        machine_of(CHAIN, start_at="nowhere")


def test_22_a_definition_stays_as_it_is_when_it_is_translated():
    given = copy.deepcopy(KITCHEN_SINK)
    definition = defined(given)
    first = translate(definition, place=PLACE, namespace="prod", start_at="each").asl
    first["States"].clear()
    assert given == KITCHEN_SINK
    assert translate(definition, place=PLACE, namespace="prod", start_at="each").asl["States"]
    assert set(begin_at(states := asl_of(defined(CHAIN)), "c")["States"]) == {"c"}
    assert set(states["States"]) == {"a", "b", "c"}


def test_23_the_name_of_a_machine():
    definition = defined(one(task("x")) | {"StartAt": "cil", "States": {"cil": task("x")}})
    definition = definition.model_copy(update={"name": "cil-reliability-dashboard:sfn"})
    found = translate(definition, place=PLACE, namespace="production")
    assert found.name == "production--cil-reliability-dashboard-sfn--3--cil"


def test_23_what_aws_refuses_in_names_becomes_a_hyphen():
    strange = 'a b<c>d{e}f[g]h?i*j"k#l%m\\n^o|p~q`r$s&t,u;v:w/x'
    definition = defined(one(task("x")), name=strange)
    assert translate(definition, place=PLACE).name == "a-b-c-d-e-f-g-h-i-j-k-l-m-n-o-p-q-r-s-t-u-v-w-x--3--only"


def test_23_a_name_that_is_too_long_is_refused():
    with pytest.raises(InvalidError, match="which has 91 characters, and AWS allows 80"):
        translate(defined(one(task("x")), name="n" * 76), place=PLACE, namespace="prod")


def test_23_machines_whose_names_are_alike_have_other_identities():
    twins = [translate(defined(one(task("x")), name=name), place=PLACE, namespace="prod") for name in ("a:b", "a-b")]
    assert twins[0].name == twins[1].name
    assert twins[0].identity.digest != twins[1].identity.digest
    assert twins[0].tags["workflow-identity"] != twins[1].tags["workflow-identity"]


def test_23_the_tags_of_a_machine():
    definition = defined(one(task("x")), name="a*b", default_tags={"team": "infra", "application": "other"})
    assert (
        translate(definition, place=PLACE, namespace="prod").tags.items()
        >= {
            "application": "other",
            "environment": "prod",
            "workflow-definition-name": "a-b",
            "workflow-definition-version": "3",
            "workflow-definition-start-at": "only",
            "team": "infra",
        }.items()
    )


@pytest.mark.parametrize(
    ("resource", "arn"),
    [
        ("resize", f"{STATES}:activity:prod--resize"),
        ("lambda:resize", "arn:aws:lambda:us-west-2:123456789012:function:prod--resize"),
        ("arn:aws:states:::sqs:sendMessage", "arn:aws:states:::sqs:sendMessage"),
        (f"{STATES}:activity:theirs", f"{STATES}:activity:theirs"),
        ("arn:aws:lambda:eu-west-1:999999999999:function:x:1", "arn:aws:lambda:eu-west-1:999999999999:function:x:1"),
    ],
)
def test_24_short_names_are_expanded_and_arns_stay(resource: str, arn: str):
    assert machine_of(one(task(resource)))["States"]["only"]["Resource"] == arn


@pytest.mark.parametrize("parameters", [None, {"Arguments": {"--x.$": "$.x"}}, {"WorkerType": "G.1X"}])
def test_24_a_glue_job(parameters: dict[str, Any] | None):
    fields = {} if parameters is None else {"Parameters": parameters}
    state = machine_of(one(task("glue:nightly", **fields)))["States"]["only"]
    assert state["Resource"] == "arn:aws:states:::glue:startJobRun.sync"
    assert state["Parameters"] == {"JobName": "prod--nightly"} | (parameters or {})


def test_24_without_a_namespace_names_are_as_they_stand():
    found = translate(defined(one(task("lambda:resize"))), place=PLACE)
    assert found.asl["States"]["only"]["Resource"].endswith(":function:resize")
    assert found.name == "census--3--only"


def test_24_the_notation_is_expanded_as_well():
    machine = {
        "start_at": "each",
        "timeout_seconds": 60,
        "states": {
            "each": {
                "type": "map",
                "item_processor": {
                    "start_at": "one",
                    "states": {"one": {"type": "task", "resource": "lambda:f", "end": True}},
                },
                "end": True,
            }
        },
    }
    inner = machine_of(machine)["States"]["each"]["ItemProcessor"]["States"]["one"]
    assert inner["Resource"].endswith("function:prod--f")


def mapping(processor: dict[str, Any], **fields: Any) -> dict[str, Any]:
    return one(
        {"Type": "Map", "ItemProcessor": {"StartAt": "item", "States": {"item": processor}}, "End": True} | fields
    )


@pytest.mark.parametrize("key", ["ItemSelector", "Parameters"])
def test_25_a_map_with_a_selector_names_the_execution_beside_what_was_selected(key: str):
    asl = machine_of(mapping(task("work"), **{key: {"value.$": "$$.Map.Item.Value"}}))
    selected = {"value.$": "$$.Map.Item.Value", "_EXECUTION_NAME.$": "$$.Execution.Name"}
    assert asl["States"]["only"][key] == selected
    assert asl["States"]["only"]["ItemProcessor"]["States"]["item"]["Resource"].endswith("prod--work")


@pytest.mark.parametrize("own", ["_EXECUTION_NAME", "_EXECUTION_NAME.$"])
def test_25_a_name_that_the_definition_gives_itself_is_kept(own: str):
    asl = machine_of(mapping(task("work"), ItemSelector={own: "$.name"}))
    assert asl["States"]["only"]["ItemSelector"] == {own: "$.name"}


def test_25_without_a_selector_the_item_stays_and_objects_get_the_name():
    processor = machine_of(mapping(task("work")))["States"]["only"]["ItemProcessor"]
    look, put, item = processor["States"]
    assert (processor["StartAt"], item) == (look, "item")
    assert processor["States"][put]["ResultPath"] == "$._EXECUTION_NAME"
    assert processor["States"][look]["Default"] == "item"


@pytest.mark.parametrize(
    "inside", [task("lambda:f"), task("work", Parameters={"x.$": "$"}), {"Type": "Pass", "End": True}]
)
def test_25_nothing_is_added_where_no_command_takes_an_item_as_it_comes(inside: dict[str, Any]):
    asl = machine_of(mapping(inside))["States"]["only"]
    assert list(asl["ItemProcessor"]["States"]) == ["item"]
    assert "ItemSelector" not in asl


def test_25_in_jsonata_items_are_merged_with_the_name():
    machine = mapping(task("work")) | {"QueryLanguage": "JSONata"}
    assert "$merge([$states.context.Map.Item.Value" in machine_of(machine)["States"]["only"]["ItemSelector"]
    chosen = mapping(task("work"), ItemSelector={"x": 1}) | {"QueryLanguage": "JSONata"}
    assert machine_of(chosen)["States"]["only"]["ItemSelector"] == {
        "x": 1,
        "_EXECUTION_NAME": "{% $states.context.Execution.Name %}",
    }


def test_25_an_expression_that_selects_is_kept_inside_of_one_that_adds_the_name():
    selector = "{% {'n': $states.context.Map.Item.Value} %}"
    machine = mapping(task("work"), ItemSelector=selector) | {"QueryLanguage": "JSONata"}
    found = machine_of(machine)["States"]["only"]["ItemSelector"]
    assert "({'n': $states.context.Map.Item.Value})" in found
    assert "'_EXECUTION_NAME': $states.context.Execution.Name" in found


def test_26_the_default_retrier_is_the_first():
    everything = {"ErrorEquals": ["States.ALL"], "MaxAttempts": 2}
    retriers = machine_of(one(task("work", Retry=[everything])))["States"]["only"]["Retry"]
    assert retriers[0] == TERMINATED
    assert retriers[-1] == everything
    assert [retrier["ErrorEquals"] for retrier in retriers[1:-1]] == [["Worker.ShuttingDown"]]


def test_26_a_retrier_of_ones_own_for_the_error_takes_its_place():
    own = {"ErrorEquals": ["sfncli.CommandTerminated", "Other"], "MaxAttempts": 0}
    retriers = machine_of(one(task("work", Retry=[own])))["States"]["only"]["Retry"]
    assert TERMINATED not in retriers
    assert own in retriers


def test_26_nested_tasks_get_it_as_well_and_other_services_do_not_need_it():
    states = machine_of(KITCHEN_SINK)["States"]
    assert states["each"]["Iterator"]["States"]["item"]["Retry"][0] == TERMINATED
    assert "Retry" not in states["both"]["Branches"][0]["States"]["left"]


def test_the_whole_language_is_kept():
    machine = {
        "StartAt": "put",
        "QueryLanguage": "JSONPath",
        "States": {
            "put": {
                "Type": "Pass",
                "Result": {"n": 12345678901234567890, "x": [1.5, None]},
                "ResultPath": None,
                "Next": "ask",
            },
            "ask": {"Type": "Pass", "QueryLanguage": "JSONata", "Output": "{% $states.input %}", "Next": "is"},
            "is": {
                "Type": "Choice",
                "Choices": [{"Variable": "$.name", "StringMatches": "a*", "Next": "wait"}],
                "Default": "wait",
            },
            "wait": {"Type": "Wait", "TimestampPath": "$.until", "InputPath": None, "Next": "end"},
            "end": {"Type": "Succeed"},
        },
    }
    assert machine_of(machine) == machine
