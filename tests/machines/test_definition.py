import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.machines.conformance import needs_cases, recorded_definitions
from workers import machines
from workers.arns import Place
from workers.errors import UsageError
from workers.machines import Definition, InvalidDefinitionError, Severity, StateMachine, from_asl, load, parse, to_asl
from workers.machines import validate as judge
from workers.machines.validation.checker import check

HERE = Place("aws", "us-east-1", "123456789012")
ADDER = """
comment: adds two numbers
start_at: Add
timeout_seconds: 60
states:
  Add:
    type: task
    resource: add
    timeout_seconds: 10
    heartbeat_seconds: 5
    retry:
      - error_equals: States.ALL
    end: true
"""
ASL = {"StartAt": "S", "States": {"S": {"Type": "Task", "Resource": "arn:aws:states:::sns:publish", "End": True}}}


def test_the_public_names():
    assert sorted(machines.__all__) == dir(machines)
    assert {"draw", "from_asl", "load", "parse", "render", "to_asl", "validate", "var"} <= set(machines.__all__)
    assert all(getattr(machines, name) for name in machines.__all__)
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        machines.nothing  # noqa: B018 - the look-up is the test


def test_the_package_itself_loads_nothing():
    code = "import sys, workers.machines; sys.exit('pydantic' in sys.modules or 'yaml' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_from_a_file_to_what_runs(tmp_path: Path):
    path = tmp_path / "adder.yaml"
    path.write_text(ADDER)
    definition = load(path)
    assert definition.problems == ()
    assert definition.name == str(path)
    machine = definition.machine(place=HERE, namespace="prod")
    assert isinstance(machine, StateMachine)
    add = machine.states["Add"]
    assert add.resource == "arn:aws:states:us-east-1:123456789012:activity:prod--add"
    assert definition.activities(place=HERE) == ("arn:aws:states:us-east-1:123456789012:activity:add",)
    assert to_asl(path, place=HERE, namespace="prod") == machine.to_asl()


def test_all_forms_give_the_same(tmp_path: Path):
    asl = parse(ADDER).to_asl(place=HERE)
    notation = from_asl(asl, place=HERE)
    path = tmp_path / "adder.json"
    path.write_text(json.dumps(notation))
    for form in (asl, notation, path, str(path), StateMachine.model_validate(asl), parse(json.dumps(asl))):
        assert to_asl(form, place=HERE) == asl
    assert from_asl(json.dumps(asl), place=HERE) == notation
    definition = load(notation)
    assert load(definition) is definition
    assert isinstance(definition, Definition)


def test_names_need_a_place_and_arns_do_not():
    assert to_asl(ASL) == ASL
    with pytest.raises(UsageError, match="say in which region and account"):
        parse(ADDER).to_asl()
    with pytest.raises(UsageError, match="say in which region and account"):
        parse(ADDER).to_asl(namespace="prod")


def test_a_broken_definition_is_not_used():
    broken = {"start_at": "S", "states": {"S": {"type": "pass", "next": "T"}, "U": 1}}
    with pytest.raises(InvalidDefinitionError) as caught:
        to_asl(broken)
    assert [problem.code for problem in caught.value.problems] == ["wrong-type", "missing-target"]
    assert str(caught.value).splitlines() == [
        "the definition has 2 problems:",
        "  states.U: a state is an object with a type, found 1 [wrong-type]",
        "  states.S.next: there is no state 'T' here [missing-target]",
    ]
    assert isinstance(caught.value, UsageError)


def test_warnings_do_not_stand_in_the_way():
    definition = load({"start_at": "S", "states": {"S": {"type": "task", "resource": "add", "end": True}}})
    assert {problem.severity for problem in definition.problems} == {Severity.WARNING}
    definition.check()
    definition.to_asl(place=HERE)


def test_a_namespace_that_makes_a_name_too_long_is_found():
    with pytest.raises(InvalidDefinitionError, match="AWS allows 80"):
        parse(ADDER).to_asl(place=HERE, namespace="x" * 80)


def test_problems_speak_the_writers_language():
    snake = judge({"start_at": "S", "states": {"S": {"type": "pass"}}})
    camel = judge({"StartAt": "S", "States": {"S": {"Type": "Pass"}}})
    assert str(snake[0]) == "states.S: one of next and end is missing [missing-key]"
    assert str(camel[0]) == "States.S: one of Next and End is missing [missing-key]"


def test_problems_show_where_they_are():
    text = (
        'start_at: S\nstates:\n  S: {type: pass, next: "a b"}\n  a b:\n    type: wait\n    second: 1\n    end: true\n'
    )
    problems = parse(text).problems
    assert [str(problem) for problem in problems] == [
        'line 4: states["a b"]: one of seconds, seconds_path, timestamp and timestamp_path is missing [missing-key]',
        "line 6: states[\"a b\"].second: there is no 'second' here: did you mean seconds? [unknown-key]",
    ]
    warning = judge(
        ASL | {"States": {"S": {**ASL["States"]["S"], "Resource": "arn:aws:states:::glue:startJobRun.sync"}}}
    )
    assert str(warning[0]).startswith("States.S: warning: has no TimeoutSeconds")


def test_placeholders_are_left_for_those_who_fill_them_in():
    asl = {
        "StartAt": "S",
        "States": {
            "S": {
                "Type": "Task",
                "Resource": "${AddActivity}",
                "TimeoutSeconds": "${Timeout}",
                "Parameters": {"queue.$": "${Path}"},
                "InputPath": "${InputPath}",
                "Retry": [{"ErrorEquals": ["${Error}"], "JitterStrategy": "${Jitter}"}],
                "Next": "C",
            },
            "C": {
                "Type": "Choice",
                "Choices": [{"Variable": "${Variable}", "NumericEquals": "${Number}", "Next": "W"}],
                "Default": "W",
            },
            "W": {"Type": "Wait", "Timestamp": "${When}", "End": True},
        },
    }
    assert [problem for problem in judge(asl) if problem.severity is Severity.ERROR] == []
    assert to_asl(from_asl(asl)) == asl


@pytest.mark.parametrize("status", [400, 404, 429, 500, 503, 599])
@pytest.mark.parametrize("key", ["Retry", "Catch"])
def test_the_answers_of_an_api_have_error_names(status: int, key: str):
    task = {"Type": "Task", "Resource": "arn:aws:states:::http:invoke", "End": True}
    following = {"Next": "E"} if key == "Catch" else {}
    failing = {key: [{"ErrorEquals": [f"States.Http.StatusCode.{status}", "States.Http.Socket"], **following}]}
    asl = {"StartAt": "S", "States": {"S": task | failing, "E": {"Type": "Succeed"}}}
    assert [problem.code for problem in judge(asl) if problem.code == "reserved-name"] == []


def test_a_definition_may_be_as_large_as_aws_allows_and_no_larger():
    def sized(length: int) -> dict[str, Any]:
        return {"StartAt": "S", "States": {"S": {"Type": "Pass", "Result": "é" * length, "End": True}}}

    edge = (1_048_576 - len(json.dumps(sized(0), separators=(",", ":")))) // 2
    assert judge(sized(edge)) == ()
    (problem,) = judge(sized(edge + 1))
    assert (problem.code, problem.path) == ("too-large", "")


@pytest.mark.parametrize(
    "resource", ["sqs:sendMessage.waitForTaskToken", "glue:startJobRun.sync", "us-east-1:1:activity:a"]
)
def test_an_express_machine_waits_for_nobody(resource: str):
    arn = f"arn:aws:states:{resource}" if "activity" in resource else f"arn:aws:states:::{resource}"
    asl = {"StartAt": "S", "States": {"S": {"Type": "Task", "Resource": arn, "End": True}}}
    assert "not-in-express" in {finding.code for finding in check(asl, express=True)}
    assert "not-in-express" not in {finding.code for finding in check(asl)}


def test_what_python_cannot_follow_is_said():
    deep: Any = "x"
    for _ in range(100_000):
        deep = [deep]
    (problem,) = judge({"StartAt": "S", "States": {"S": {"Type": "Pass", "Result": deep, "End": True}}})
    assert problem.code == "too-deep"


def test_lone_surrogates_are_counted_too():
    assert judge({"StartAt": "S", "States": {"S": {"Type": "Pass", "Result": "\ud800", "End": True}}}) == ()


@pytest.mark.parametrize("text", ["[]", "x", "{"])
def test_only_an_object_is_read_back(text: str):
    with pytest.raises(UsageError, match="no JSON object"):
        from_asl(text)


@needs_cases
@pytest.mark.parametrize("definition", recorded_definitions())
def test_recorded_definitions_are_valid_and_round_trip(definition: dict[str, Any]):
    assert [problem for problem in judge(definition) if problem.severity is Severity.ERROR] == []
    assert to_asl(from_asl(definition, place=HERE), place=HERE) == definition
