"""Mocked tasks."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.local.integrations.conftest import NoStepFunctions, call
from workers.errors import UsageError
from workers.local.integrations.integrations import Integrations, Stand
from workers.local.integrations.mocks import Mocks, load_mocks
from workers.local.values.errors import StateError

CONFIGURATION: dict[str, Any] = {
    "StateMachines": {"Orders": {"TestCases": {"Refused": {"Charge": "ChargeRefused"}}}},
    "MockedResponses": {
        "ChargeRefused": {
            "0": {"Throw": {"Error": "Refused", "Cause": "first"}},
            "1-2": {"Throw": {"Error": "Refused"}},
            "3": {"Return": {"charged": True}},
        }
    },
}


async def outcome(services: Integrations, attempt: int, resource: str = "sqs:sendMessage") -> Any:
    service = services.service(f"arn:aws:states:::{resource}", state="Charge", machine="Orders", test_case="Refused")
    try:
        answer = await service.submit(asked := call({}, attempt=attempt, state="Charge"))
        return answer if service.ends_with == "answer" else await service.finish(asked, answer)
    except StateError as error:
        return error.error, error.cause


async def test_attempts_are_answered_one_by_one():
    services = Integrations("http://127.0.0.1:1", "us-east-1", NoStepFunctions(), Stand(mocks=Mocks(**CONFIGURATION)))
    assert [await outcome(services, attempt) for attempt in range(4)] == [
        ("Refused", "first"),
        ("Refused", None),
        ("Refused", None),
        {"charged": True},
    ]
    why = "The mock configuration has no response of the state 'Charge' for attempt 4"
    assert await outcome(services, 4) == ("States.Runtime", why)
    for resource in ("batch:submitJob.sync", "sqs:sendMessage.waitForTaskToken"):
        assert await outcome(services, 3, resource) == {"charged": True}
        assert await outcome(services, 0, resource) == ("Refused", "first")


async def test_only_what_a_test_case_names_is_mocked():
    services = Integrations("http://127.0.0.1:1", "us-east-1", NoStepFunctions(), Stand(mocks=Mocks(**CONFIGURATION)))
    assert ending(services, "Charge", "Orders", None) == "token"
    assert ending(services, "Other", "Orders", "Refused") == "token"
    assert ending(services, "Charge", "Others", "Refused") == "token"
    assert ending(services, "Charge", "Orders", "Refused") == "job"
    assert services.has_case("Orders", "Refused")
    assert not services.has_case("Orders", "Other")
    assert not services.has_case("Others", "Refused")


def ending(services: Integrations, state: str, machine: str, test_case: str | None) -> str:
    arn = "arn:aws:states:::sqs:sendMessage.waitForTaskToken"
    return services.service(arn, state=state, machine=machine, test_case=test_case).ends_with


def changed(**changes: Any) -> dict[str, Any]:
    return CONFIGURATION | changes


@pytest.mark.parametrize(
    ("configuration", "why"),
    [
        (changed(MockedResponses={}), "Orders#Refused mocks 'Charge' by 'ChargeRefused': no such response"),
        (changed(MockedResponses={"ChargeRefused": {"first": {"Return": 1}}}), "is no number of an attempt"),
        (changed(MockedResponses={"ChargeRefused": {"2-1": {"Return": 1}}}), "is no number of an attempt"),
        (changed(MockedResponses={"ChargeRefused": {"0": {}}}), "either Return or Throw"),
        (changed(MockedResponses={"ChargeRefused": {"0": {"Throw": {"Cause": "x"}}}}), "Error: Field required"),
        (changed(Machines={}), "Machines: Extra inputs"),
        ([], "the file: "),
    ],
)
def test_wrong_files_are_explained(tmp_path: Path, configuration: Any, why: str):
    file = tmp_path / "mocks.json"
    file.write_text(json.dumps(configuration))
    with pytest.raises(UsageError) as raised:
        load_mocks(file)
    assert str(raised.value).startswith(f"the mock configuration {file} is wrong: ")
    assert why in str(raised.value)


def test_a_file_is_read(tmp_path: Path):
    file = tmp_path / "mocks.json"
    file.write_text(json.dumps(CONFIGURATION))
    assert load_mocks(file).knows("Orders", "Refused")
    assert not load_mocks(file).knows("Orders", "Accepted")
    with pytest.raises(UsageError, match="cannot be read"):
        load_mocks(tmp_path / "none.json")
