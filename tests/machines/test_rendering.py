import json
import re
from typing import Any

import pytest

from workers.arns import Place
from workers.errors import UsageError
from workers.machines import InvalidDefinitionError, Severity, to_asl, validate
from workers.machines.rendering import render

HERE = Place("aws-cn", "cn-north-1", "123456789012")
MACHINE = {
    "start_at": "A",
    "states": {
        "A": {"type": "task", "resource": "add", "next": "B"},
        "B": {"type": "task", "resource": "lambda:f", "parameters": {"q": "${Queue}", "p": "100%{x} ${"}, "next": "C"},
        "C": {"type": "task", "resource": "add-all", "next": "D"},
        "D": {"type": "task", "resource": "${Other-Thing}", "end": True},
    },
}


def filled(asl: Any, values: dict[str, str]) -> Any:
    return json.loads(re.sub(r"\$\{([\w.-]+)\}", lambda found: values[found[1]], json.dumps(asl)))


def expected(namespace: str | None = None) -> Any:
    asl = to_asl(MACHINE, place=HERE, namespace=namespace)
    return filled(asl, {"Queue": "the-queue", "Other-Thing": "arn:other"})


def test_cloudformation():
    template = render(MACHINE, "cloudformation", name="orders", namespace="prod")
    machine = template["Resources"]["StateMachine"]["Properties"]
    assert machine["StateMachineName"] == "prod--orders"
    assert template["Resources"]["ProdAddActivity"] == {
        "Type": "AWS::StepFunctions::Activity",
        "Properties": {"Name": "prod--add"},
    }
    assert set(template["Parameters"]) == {"RoleArn", "Queue", "OtherThing"}
    function = {"Fn::Sub": "arn:${AWS::Partition}:lambda:${AWS::Region}:${AWS::AccountId}:function:f"}
    substitutions = machine["DefinitionSubstitutions"]
    assert substitutions.pop("FunctionFArn") == function
    references = {
        "Queue": "the-queue",
        "OtherThing": "arn:other",
        "ProdAddActivity": HERE.activity("prod--add"),
        "ProdAddAllActivity": HERE.activity("prod--add-all"),
    }
    values = {name: references[value["Ref"]] for name, value in substitutions.items()}
    values["FunctionFArn"] = "arn:aws-cn:lambda:cn-north-1:123456789012:function:f"
    assert filled(machine["Definition"], values) == expected("prod")


def test_terraform():
    file = render(MACHINE, "terraform", name="orders")
    machine = file["resource"]["aws_sfn_state_machine"]["orders"]
    assert file["resource"]["aws_sfn_activity"] == {"add": {"name": "add"}, "add_all": {"name": "add-all"}}
    assert set(file["variable"]) == {"role_arn", "queue", "other_thing"}
    assert set(file["data"]) == {"aws_partition", "aws_region", "aws_caller_identity"}
    values = {
        "data.aws_partition.current.partition": HERE.partition,
        "data.aws_region.current.id": HERE.region,
        "data.aws_caller_identity.current.account_id": HERE.account,
        "var.queue": "the-queue",
        "var.other_thing": "arn:other",
        "aws_sfn_activity.add.id": HERE.activity("add"),
        "aws_sfn_activity.add_all.id": HERE.activity("add-all"),
    }
    text = re.sub(r"(?<!\$)\$\{([\w.]+)\}", lambda found: values[found[1]], machine["definition"])
    assert json.loads(text.replace("$${", "${").replace("%%{", "%{")) == expected()


def test_what_needs_nothing_from_around_asks_for_nothing():
    asl = {"StartAt": "S", "States": {"S": {"Type": "Succeed"}}}
    template = render(asl, "cloudformation", name="m")
    assert list(template["Resources"]) == ["StateMachine"]
    assert "DefinitionSubstitutions" not in template["Resources"]["StateMachine"]["Properties"]
    file = render(asl, "terraform", name="1st")
    assert "data" not in file
    assert list(file["resource"]) == ["aws_sfn_state_machine"]
    assert list(file["resource"]["aws_sfn_state_machine"]) == ["x1st"]


def test_identifiers_do_not_collide():
    states = {
        "A": {"type": "task", "resource": "add-all", "next": "B"},
        "B": {"type": "task", "resource": "add_all", "end": True},
    }
    template = render({"start_at": "A", "states": states}, "cloudformation", name="m")
    assert list(template["Resources"]) == ["AddAllActivity", "AddAllActivity2", "StateMachine"]


def test_names_may_be_placeholders():
    states = {
        "A": {"type": "task", "resource": "lambda:${The Function}", "next": "B"},
        "B": {"type": "task", "resource": "batch:${Job}", "end": True},
    }
    template = render({"start_at": "A", "states": states}, "cloudformation", name="m")
    machine = template["Resources"]["StateMachine"]["Properties"]
    assert machine["Definition"]["States"]["A"]["Resource"] == "${FunctionTheFunctionArn}"
    assert machine["Definition"]["States"]["B"]["Parameters"] == {"JobDefinition": "${Job}"}
    assert machine["DefinitionSubstitutions"] == {
        "FunctionTheFunctionArn": {
            "Fn::Sub": "arn:${AWS::Partition}:lambda:${AWS::Region}:${AWS::AccountId}:function:${TheFunction}"
        },
        "BatchSubmitJobSyncArn": {"Fn::Sub": "arn:${AWS::Partition}:states:::batch:submitJob.sync"},
        "Job": {"Ref": "Job"},
    }


def test_a_placeholder_is_no_part_of_an_activity_name():
    states = {"A": {"type": "task", "resource": "my-${Stage}", "end": True}}
    problems = validate({"start_at": "A", "states": states})
    (problem,) = [problem for problem in problems if problem.severity is Severity.ERROR]
    assert problem.path == "states.A.resource"
    assert "holds '$'" in problem.message


def test_placeholders_stay_apart_from_each_other_and_from_what_stands_beside_them():
    states = {
        "A": {
            "type": "task",
            "resource": "add",
            "parameters": ["${AddActivity}", "${RoleArn}", "${StateMachine}", "${a-b}", "${a.b}", "${role_arn}"],
            "end": True,
        },
    }
    template = render({"start_at": "A", "states": states}, "cloudformation", name="m")
    assert list(template["Resources"]) == ["AddActivity2", "StateMachine"]
    names = ["RoleArn", "AddActivity", "RoleArn2", "StateMachine2", "AB", "AB2", "RoleArn3"]
    assert list(template["Parameters"]) == names
    machine = template["Resources"]["StateMachine"]["Properties"]
    assert machine["Definition"]["States"]["A"]["Resource"] == "${AddActivity2}"
    assert machine["DefinitionSubstitutions"]["AddActivity"] == {"Ref": "AddActivity"}
    file = render({"start_at": "A", "states": states}, "terraform", name="m")
    assert list(file["variable"]) == ["role_arn", "addactivity", "rolearn", "statemachine", "a_b", "a_b2", "role_arn2"]
    inside = file["resource"]["aws_sfn_state_machine"]["m"]["definition"]
    assert "${var.a_b}" in inside
    assert "${var.a_b2}" in inside


def test_only_what_aws_would_take_is_rendered():
    with pytest.raises(UsageError, match="holds ' '"):
        render(MACHINE, "terraform", name="a b")
    with pytest.raises(InvalidDefinitionError):
        render({"start_at": "A", "states": {}}, "cloudformation", name="m")
