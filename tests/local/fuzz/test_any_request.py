"""Requests of all kinds: whatever comes, the engine answers, and never with a fault of its own."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.local.fuzz.known import EACH, FAIL, FUZZ, MODEL, OPERATIONS, Known, Wire, check
from tests.local.helpers import PASS

SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20)
JUNK = st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner))
JSON_TEXT = JUNK.map(json.dumps) | st.sampled_from(["", "{", "{}", "null", "[" * 2_000, '"\\ud800"', "1e999", "NaN"])

EXPRESSIONS = [
    "$",
    "$.a",
    "$$.Execution.Id",
    "$.a[?(@.b)]",
    "$x",
    "{% $states.input %}",
    "{% 1/0 %}",
    "$..",
    "States.UUID()",
]
KEYS = sorted(
    {"Type", "Next", "End", "Resource", "Result", "Parameters", "Arguments", "Output", "Assign", "InputPath", "Choices"}
    | {"Default", "Seconds", "SecondsPath", "Error", "Cause", "Branches", "ItemProcessor", "Items", "Retry", "Catch"}
    | {"QueryLanguage", "ResultPath", "Variable", "IsPresent", "Condition", "StartAt", "States", "ErrorEquals"}
)
VALUES = st.sampled_from(["Task", "Pass", "Choice", "Wait", "Map", "Parallel", "Fail", "Succeed", "A", *EXPRESSIONS])
PARTS = st.recursive(
    VALUES | SCALARS,
    lambda inner: st.dictionaries(st.sampled_from(KEYS), inner, max_size=5) | st.lists(inner, max_size=2),
    max_leaves=12,
)
STATES = st.dictionaries(st.sampled_from(KEYS), PARTS, max_size=6).map(
    lambda fields: {"Type": "Pass", "End": True} | fields
)
MACHINES = st.builds(lambda one, other: {"StartAt": "A", "States": {"A": one, "B": other}}, STATES, STATES)
DEFINITIONS = (MACHINES | STATES | st.sampled_from([PASS, FAIL, EACH])).map(json.dumps) | JSON_TEXT


def fitting(name: str, known: Known) -> st.SearchStrategy[Any]:
    """Values that the model of a shape nearly always allows."""
    shape = MODEL["shapes"][name]
    match shape["type"]:
        case "structure":
            members = {member: fitting(of["shape"], known) for member, of in shape["members"].items()}
            required = {member: members.pop(member) for member in shape.get("required", ())}
            return st.fixed_dictionaries(required, optional=members)
        case "list":
            return st.lists(fitting(shape["member"]["shape"], known), max_size=3)
        case "boolean":
            return st.booleans()
        case "integer" | "long":
            return st.integers(shape.get("min", 0), min(shape.get("max", 1_000), 1_000))
        case "float":
            return st.floats(0, 100)
        case "timestamp":
            return st.floats(0, 2e9)
    return texts(name, shape, known)


def texts(name: str, shape: dict[str, Any], known: Known) -> st.SearchStrategy[str]:
    if "enum" in shape:
        return st.sampled_from(shape["enum"])
    if name == "Definition":
        return DEFINITIONS
    if name == "TaskToken":
        return st.sampled_from([known.token, "none"])
    if "Arn" in name:
        return st.sampled_from(known.arns)
    if name.startswith("SensitiveData"):
        return JSON_TEXT
    return st.text(min_size=shape.get("min", 0), max_size=min(shape.get("max", 50), 50))


def requests(operation: str, known: Known) -> st.SearchStrategy[Any]:
    fits = fitting(MODEL["operations"][operation]["input"]["shape"], known)
    spoilt = st.builds(
        lambda request, name, junk: request | {name: junk}, fits, st.sampled_from(members(operation)), JUNK
    )
    return fits | spoilt | JUNK


def members(operation: str) -> list[str]:
    shape = MODEL["shapes"][MODEL["operations"][operation]["input"]["shape"]]
    return [*shape["members"], "unknown"]


@pytest.mark.parametrize("operation", OPERATIONS)
def test_whatever_is_asked_is_answered(operation: str, known: Known, wire: Wire):
    @FUZZ
    @given(requests(operation, known))
    def asked(request: Any) -> None:
        check(*wire.send(operation, json.dumps(request).encode()), request)

    asked()


@FUZZ
@given(body=st.binary(max_size=200) | st.just(b"[" * 100_000), operation=st.sampled_from(OPERATIONS))
def test_what_is_no_json_is_answered(body: bytes, operation: str, wire: Wire):
    check(*wire.send(operation, body), body)


def test_operations_that_do_not_exist_are_answered(wire: Wire):
    status, answer = wire.send("EatStateMachine", b"{}")
    assert (status, answer["__type"]) == (400, "UnknownOperationException")


@pytest.mark.slow
@pytest.mark.timeout(1_200)
@pytest.mark.parametrize("operation", OPERATIONS)
def test_whatever_is_asked_for_long_is_answered(operation: str, known: Known, wire: Wire):
    @settings(FUZZ, max_examples=1_000, derandomize=False)
    @given(requests(operation, known))
    def asked(request: Any) -> None:
        check(*wire.send(operation, json.dumps(request).encode()), request)

    asked()
