"""Requests of any shape: each is answered, and none with a fault of the engine."""

import json
from typing import Any

import aiohttp
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.account import ROLE, unique
from tests.local.helpers import PASS
from workers.local import LocalStepFunctions, requests
from workers.local.errors import ApiError
from workers.local.operations.table import OPERATIONS


def _members() -> list[str]:
    """The members of all requests."""
    model = requests._model()
    shapes = [model["shapes"][model["operations"][operation]["input"]["shape"]] for operation in OPERATIONS]
    return sorted({member for shape in shapes for member in shape["members"]})


KINDS = ("activity", "stateMachine", "execution", "express")
ARNS = [f"arn:aws:states:us-east-1:123456789012:{kind}:{name}" for kind in KINDS for name in ("a", "a:1", "a:b")]
elements = st.dictionaries(
    st.sampled_from(["key", "value", "stateMachineVersionArn", "weight"]), st.sampled_from([1, 100, "a", *ARNS])
)
values = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-1, 2_000),
    st.text(max_size=20),
    st.sampled_from([*ARNS, ROLE, json.dumps(PASS), "STANDARD", "EXPRESS", "{}"]),
    st.lists(elements),
    st.dictionaries(st.text(max_size=5), st.integers()),
)


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    name=st.sampled_from(sorted(OPERATIONS.keys() - {"GetActivityTask", "StartSyncExecution"})),
    body=st.dictionaries(st.sampled_from(_members()), values),
)
async def test_no_request_is_a_fault_of_the_engine(engine: LocalStepFunctions, name: str, body: dict[str, Any]):
    headers = {
        "X-Amz-Target": f"AWSStepFunctions.{name}",
        "Authorization": "Credential=x/20260101/ap-south-1/states/aws4",
    }
    async with aiohttp.ClientSession() as session, session.post(engine.url, headers=headers, json=body) as answer:
        assert answer.status in (200, 400), await answer.text()
        await answer.json(content_type="application/x-amz-json-1.0")


AT = "failed to satisfy constraint: Member must"
PROBLEMS = [
    ("CreateActivity", {}, f"1 validation error detected: Value null at 'name' {AT} not be null"),
    ("StopExecution", {"executionArn": ""}, f"Value '' at 'executionArn' {AT} have length greater than or equal to 1"),
    (
        "ListActivities",
        {"maxResults": 1001},
        f"Value '1001' at 'maxResults' {AT} have value less than or equal to 1000",
    ),
    ("SendTaskFailure", {"taskToken": "t", "error": "e" * 257}, f"Value at 'error' {AT} have length less than"),
    ("TagResource", {"resourceArn": "a", "tags": [{"key": "", "value": "v"}]}, f"Value '' at 'tags.1.member.key' {AT}"),
    ("CreateStateMachine", {"name": "n"}, "2 validation errors detected: Value null at 'definition'"),
    ("StartExecution", {"stateMachineArn": "a", "traceHeader": "é"}, f"{AT} satisfy regular expression pattern"),
]


@pytest.mark.parametrize(("operation", "body", "problem"), PROBLEMS)
def test_problems_are_worded_as_aws_words_them(operation: str, body: dict[str, Any], problem: str):
    with pytest.raises(ApiError) as error:
        requests.check(operation, body)
    assert error.value.code == "ValidationException"
    assert problem in error.value.message


def test_members_that_are_null_or_unknown_do_no_harm():
    assert requests.check("ListActivities", {"maxResults": None, "other": 1}) == {"other": 1}
    assert requests.check("DescribeActivity", {"activityArn": unique("a")[:1]}) == {"activityArn": "a"}
