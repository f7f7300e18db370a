"""Every member of every operation with what JSON can write and no SDK sends: nothing is a fault of the engine."""

import json
import sys
from typing import Any

import pytest

from tests.account import ROLE, unique
from tests.local.fuzz.known import MODEL, OPERATIONS, Known, Wire, check
from tests.local.helpers import PASS

VALUES = {
    "a number of 4,000 digits": "9" * 4_000,
    "a number of 10,000 digits": "9" * 10_000,
    "infinity": "1e999",
    "nearly nothing": "-1e-999",
    "NaN": "NaN",
    "minus infinity": "-Infinity",
    "half a character": '"\\ud800"',
    "halves in the wrong order": '"\\udc00\\ud800"',
    "a null character": '"\\u0000"',
    "a long text": f'"{"x" * 300_000}"',
    "no UTF-8": '"\udcff"',
    "the same member twice": '{"a": 1, "a": {"a": 2}}',
    "lists in lists": "[" * 900 + "]" * 900,
    "too many lists": "[" * 50_000 + "]" * 50_000,
    "objects in objects": '{"a":' * 900 + "1" + "}" * 900,
    "too many objects": '{"a":' * 50_000 + "1" + "}" * 50_000,
    "lists that never end": "[" * 100,
    "true": "true",
    "nothing": "null",
    "an empty text": '""',
    "an empty object": "{}",
}


def members(operation: str) -> dict[str, str]:
    """The members of a request, and the names of their shapes."""
    shape = MODEL["shapes"][MODEL["operations"][operation]["input"]["shape"]]
    return {name: of["shape"] for name, of in shape["members"].items()}


def plain(operation: str, known: Known) -> dict[str, str]:
    """A request that is fine, each member as JSON."""
    shape = MODEL["shapes"][MODEL["operations"][operation]["input"]["shape"]]
    routes = [{"stateMachineVersionArn": known.version, "weight": 100}]
    values: dict[str, Any] = {
        "activityArn": known.activity,
        "executionArn": known.execution if operation == "RedriveExecution" else known.running,
        "mapRunArn": known.map_run,
        "resourceArn": known.machine,
        "roleArn": ROLE,
        "stateMachineAliasArn": known.alias,
        "stateMachineArn": known.express if operation == "StartSyncExecution" else known.machine,
        "stateMachineVersionArn": known.version,
        "taskToken": known.token,
        "definition": json.dumps(PASS["States"]["Pass"] if operation == "TestState" else PASS),
        "name": unique("fuzz"),
        "output": "1",
        "routingConfiguration": routes,
        "tags": [],
        "tagKeys": ["a"],
        "toleratedFailureCount": 1,
    }
    needed = [*shape.get("required", ()), *_AT_LEAST.get(operation, ())]
    return {name: json.dumps(values[name]) for name in needed}


_AT_LEAST = {
    "ListExecutions": ["stateMachineArn"],
    "UpdateMapRun": ["toleratedFailureCount"],
    "UpdateStateMachine": ["definition"],
    "UpdateStateMachineAlias": ["routingConfiguration"],
}
"""What AWS's model does not require, but its documentation does."""


def body(request: dict[str, str]) -> bytes:
    text = ",".join(f"{json.dumps(name)}:{value}" for name, value in request.items())
    return f"{{{text}}}".encode("utf-8", "surrogateescape")


@pytest.mark.parametrize("operation", sorted(set(OPERATIONS) - {"DeleteStateMachineVersion", "GetActivityTask"}))
def test_what_is_varied_is_fine_by_itself(operation: str, known: Known, wire: Wire):
    """Else nothing but its first complaint would be tested. A version that an alias uses cannot be deleted."""
    status, answer = wire.send(operation, body(plain(operation, known)))
    assert status == 200, answer


@pytest.mark.parametrize("operation", OPERATIONS)
def test_each_member_with_each_value(operation: str, known: Known, wire: Wire):
    fine = plain(operation, known)
    for member in members(operation):
        for what, value in VALUES.items():
            check(*wire.send(operation, body(fine | {member: value})), (operation, member, what))


@pytest.mark.parametrize("operation", OPERATIONS)
def test_each_document_with_each_value(operation: str, known: Known, wire: Wire):
    """Members that hold JSON as text: inputs, outputs, definitions, mocks."""
    fine = plain(operation, known)
    texts = [name for name, shape in members(operation).items() if shape.startswith(("Sensitive", "Definition"))]
    for member in texts:
        for what, value in VALUES.items():
            text = json.dumps(value.encode("utf-8", "surrogateescape").decode("utf-8", "replace"))
            check(*wire.send(operation, body(fine | {member: text})), (operation, member, what))


def nested(depth: int, kind: str) -> dict[str, Any]:
    """A definition with something nested in itself."""
    inner: dict[str, Any] = {"Type": "Pass", "End": True}
    rule: dict[str, Any] = {"Variable": "$.a", "IsPresent": True}
    value: Any = 1
    for _ in range(depth):
        branch = {"StartAt": "S", "States": {"S": inner}}
        match kind:
            case "Parallel":
                inner = {"Type": "Parallel", "Branches": [branch], "End": True}
            case "Map":
                inner = {"Type": "Map", "ItemProcessor": branch, "End": True}
        rule, value = {"Not": rule}, {"a": [value]}
    if kind == "Choice":
        inner = {"Type": "Choice", "Choices": [rule | {"Next": "S"}], "Default": "S"}
    elif kind in {"Result", "Parameters"}:
        inner = {"Type": "Pass", "End": True, kind: value}
    elif kind == "Output":
        expression = "(" * depth + "1" + ")" * depth
        inner = {"Type": "Pass", "End": True, "QueryLanguage": "JSONata", "Output": f"{{% {expression} %}}"}
    elif kind == "Format":
        inner |= {"Parameters": {"a.$": "States.Format('{}', " * depth + "$" + ")" * depth}}
    return {"StartAt": "S", "States": {"S": inner}}


@pytest.mark.parametrize("kind", ["Parallel", "Map", "Choice", "Result", "Parameters", "Output", "Format"])
@pytest.mark.parametrize("depth", [20, 150, 500, 3_000])
def test_definitions_nested_in_themselves(wire: Wire, kind: str, depth: int):
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(limit + 10 * depth)  # for the test to write what is deeper than the engine may read
    definition = json.dumps(nested(depth, kind))
    sys.setrecursionlimit(limit)
    check(*wire.send("ValidateStateMachineDefinition", json.dumps({"definition": definition}).encode()), kind)
    made = {"name": unique("nested"), "definition": definition, "roleArn": ROLE}
    status, answer = wire.send("CreateStateMachine", json.dumps(made).encode())
    check(status, answer, kind)
    if status == 200 and kind != "Choice":  # it would go round for ever
        arn = answer["stateMachineArn"]
        status, answer = wire.send("StartExecution", json.dumps({"stateMachineArn": arn, "input": "[]"}).encode())
        check(status, answer, kind)
        asked = json.dumps({"executionArn": answer["executionArn"]}).encode()
        while (found := wire.send("DescribeExecution", asked))[1]["status"] == "RUNNING":
            check(*found, kind)
        assert "The interpreter failed" not in str(found[1].get("cause"))
