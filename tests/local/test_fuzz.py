"""Requests of all kinds: whatever comes, the engine answers, and never with a fault of its own."""

import http.client
import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import boto3
import pytest
from botocore.loaders import Loader
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.account import PREFIX, ROLE, unique
from tests.local.helpers import PASS
from workers.local import LocalStepFunctions

MODEL: dict[str, Any] = Loader().load_service_model("stepfunctions", "service-2")
OPERATIONS = sorted(MODEL["operations"])
SECONDS = 20
"""In which every request must be answered."""

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
DEFINITIONS = (MACHINES | STATES | st.just(PASS)).map(json.dumps) | JSON_TEXT


class Known:
    """Things that exist, so that requests may be about something."""

    def __init__(self, url: str) -> None:
        keys = {"aws_access_key_id": "local", "aws_secret_access_key": "local", "region_name": "us-east-1"}
        client = boto3.client("stepfunctions", endpoint_url=url, **keys)
        machine = {"name": unique("fuzz"), "definition": json.dumps(PASS), "roleArn": ROLE}
        self.machine = client.create_state_machine(**machine)["stateMachineArn"]
        version = client.publish_state_machine_version(stateMachineArn=self.machine)["stateMachineVersionArn"]
        activity = client.create_activity(name=unique("fuzz"))["activityArn"]
        execution = client.start_execution(stateMachineArn=self.machine)["executionArn"]
        client.close()
        made_up = [f"{PREFIX}:{kind}:none" for kind in ("activity", "stateMachine", "execution:none", "mapRun:none")]
        self.arns = [self.machine, version, activity, execution, f"{self.machine}:1", *made_up, ROLE, "arn:aws"]


class Wire:
    """A connection that sends whatever it is given."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=SECONDS)

    def send(self, operation: str, body: bytes) -> tuple[int, Any]:
        """Status and answer."""
        headers = {
            "X-Amz-Target": f"AWSStepFunctions.{operation}",
            "Content-Type": "application/x-amz-json-1.0",
            "Authorization": "AWS4-HMAC-SHA256 Credential=local/20200101/us-east-1/states/aws4_request",
        }
        self._connection.request("POST", "/", body, headers)
        answer = self._connection.getresponse()
        return answer.status, json.loads(answer.read() or b"null")

    def close(self) -> None:
        self._connection.close()


@pytest.fixture(scope="module")
def known(engine: LocalStepFunctions) -> Known:
    return Known(engine.url)


@pytest.fixture(scope="module")
def wire(engine: LocalStepFunctions) -> Iterator[Wire]:
    wire = Wire(engine.url)
    yield wire
    wire.close()


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


def check(status: int, answer: Any, what: object) -> None:
    assert status in {200, 400}, (status, answer, what)
    assert isinstance(answer, dict)
    if status == 400:
        assert answer["__type"], what
        assert isinstance(answer["message"], str), what


FUZZ = settings(max_examples=40, suppress_health_check=list(HealthCheck))


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
