import json
from typing import Any

import pytest
from pydantic import ValidationError

from tests.machines.conformance import needs_cases, recorded_definitions
from workers.machines.model.conditions import And, Comparison, Expression, Not
from workers.machines.model.kinds import MAX_SECONDS
from workers.machines.model.machine import Map, Parallel, StateMachine
from workers.machines.model.shapes import any_state, owners, shape, snake_case
from workers.machines.model.states import Task


def machine(**states: dict[str, Any]) -> StateMachine:
    return StateMachine.model_validate({"StartAt": next(iter(states)), "States": states})


def state(**fields: Any) -> Any:
    return machine(S=fields).states["S"]


def test_fields_that_were_not_given_have_the_defaults_of_aws():
    task = state(Type="Task", Resource="r", End=True, Retry=[{"ErrorEquals": ["E"]}])
    assert isinstance(task, Task)
    assert (task.input_path, task.output_path, task.result_path) == ("$", "$", "$")
    assert task.timeout_seconds == MAX_SECONDS
    assert task.heartbeat_seconds is None
    retrier = task.retry[0]
    assert (retrier.interval_seconds, retrier.max_attempts, retrier.backoff_rate) == (1, 3, 2.0)
    assert retrier.jitter_strategy == "NONE"


def test_null_is_not_absent():
    given = {"Type": "Pass", "ResultPath": None, "InputPath": None, "Result": None, "End": True}
    found = state(**given)
    assert found.has("result_path")
    assert found.result_path is None
    assert found.has("result")
    assert not found.has("parameters")
    assert found.to_asl() == given


def test_numbers_and_the_order_of_free_json_stay_as_they_are():
    payload = {"z": 2**70, "a": 1.0, "m": {"b": 1, "a": [3, 3.0, None, True]}, "": ""}
    asl = {"Type": "Pass", "Result": payload, "End": True}
    assert json.dumps(state(**asl).to_asl()["Result"]) == json.dumps(payload)
    retrier = {"ErrorEquals": ["E"], "BackoffRate": 2}
    task = state(Type="Task", Resource="r", Retry=[retrier], End=True)
    assert json.dumps(task.to_asl()["Retry"]) == json.dumps([retrier])


def test_keys_that_a_newer_language_may_have_are_kept():
    asl = {
        "StartAt": "S",
        "Novelty": {"x": [1]},
        "States": {"S": {"Type": "Task", "Resource": "r", "Retry": [{"ErrorEquals": ["E"], "New": 1}], "End": True}},
    }
    assert StateMachine.model_validate(asl).to_asl() == asl


def test_conditions_are_a_tree_that_can_be_run():
    rule = {
        "And": [
            {"Variable": "$.a", "NumericGreaterThanEquals": 20},
            {"Not": {"Variable": "$.b", "StringMatches": "x*", "Comment": "inner"}},
        ],
        "Next": "S",
        "Comment": "outer",
        "Assign": {"x": 1},
    }
    choice = state(Type="Choice", Choices=[rule, {"Condition": "{% true %}", "Next": "S"}])
    condition = choice.choices[0].condition
    assert isinstance(condition, And)
    first, second = condition.conditions
    assert isinstance(first, Comparison)
    assert (first.variable, first.comparator, first.value) == ("$.a", "NumericGreaterThanEquals", 20)
    assert isinstance(second, Not)
    assert second.condition.comment == "inner"
    assert choice.choices[0].comment == "outer"
    assert isinstance(choice.choices[1].condition, Expression)
    assert choice.to_asl()["Choices"] == [rule, {"Condition": "{% true %}", "Next": "S"}]


def test_a_condition_without_exactly_one_operator_is_refused():
    for rule in ({}, {"Variable": "$.a"}, {"Variable": "$.a", "IsNull": True, "IsPresent": True}):
        with pytest.raises(ValidationError):
            state(Type="Choice", Choices=[{**rule, "Next": "S"}])


def test_nested_states_are_walked_and_both_names_of_a_processor_work():
    inner = {"StartAt": "I", "States": {"I": {"Type": "Succeed"}}}
    found = machine(
        M={"Type": "Map", "Iterator": inner, "Next": "P"},
        P={"Type": "Parallel", "Branches": [{"StartAt": "B", "States": {"B": {"Type": "Succeed"}}}], "End": True},
    )
    assert [name for name, _ in found.walk()] == ["M", "I", "P", "B"]
    assert isinstance(found.states["M"], Map)
    assert found.states["M"].processor.start_at == "I"
    assert not found.states["M"].distributed
    assert isinstance(found.states["P"], Parallel)


def test_a_distributed_map_says_so():
    processor = {"ProcessorConfig": {"Mode": "DISTRIBUTED"}, "StartAt": "I", "States": {"I": {"Type": "Succeed"}}}
    assert state(Type="Map", ItemProcessor=processor, End=True).distributed


def test_the_query_language_of_a_state_is_its_own_or_the_machines():
    assert state(Type="Succeed").speaks_jsonata("JSONata")
    assert not state(Type="Succeed").speaks_jsonata(None)
    assert state(Type="Succeed", QueryLanguage="JSONata").speaks_jsonata("JSONPath")


def test_true_is_no_number_and_text_no_number():
    for wrong in ({"Seconds": True}, {"Seconds": 1.5}, {"Seconds": [1]}):
        with pytest.raises(ValidationError):
            state(Type="Wait", End=True, **wrong)


def test_the_tables_of_keys():
    assert snake_case("CSVHeaderLocation") == "csv_header_location"
    assert snake_case("RoleArn.$") == "role_arn.$"
    assert owners("HeartbeatSeconds") == ("Task",)
    assert shape(Task)["Resource"].required
    assert shape(Task)["Arguments"].language == "JSONata"
    assert {"Choices", "Branches", "Seconds", "Cause"} <= any_state().keys()


@needs_cases
@pytest.mark.parametrize("definition", recorded_definitions())
def test_recorded_definitions_survive_the_model(definition: dict[str, Any]):
    text = json.dumps(definition, sort_keys=True)
    assert json.dumps(StateMachine.model_validate(definition).to_asl(), sort_keys=True) == text
