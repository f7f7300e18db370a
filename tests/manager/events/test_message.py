"""Messages, as EventBridge sends them."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.manager.events.conftest import body_of
from workers.manager.events.message import latest, read_event

DETAIL: dict[str, Any] = {
    "executionArn": "arn:aws:states:us-east-1:123456789012:execution:orders:one",
    "stateMachineArn": "arn:aws:states:us-east-1:123456789012:stateMachine:orders",
    "name": "one",
    "status": "SUCCEEDED",
    "startDate": 1_700_000_000_000,
    "stopDate": 1_700_000_001_250,
    "input": "{}",
    "output": '{"a":1}',
    "inputDetails": {"included": True},
    "outputDetails": {"included": True},
}


def read(**changes: Any) -> Any:
    return read_event(json.dumps(body_of(DETAIL | changes)))


def test_an_event_says_as_much_as_a_list_and_more():
    change = read()
    assert (change.name, change.execution) == ("one", DETAIL["executionArn"])
    assert change.found == {
        "executionArn": DETAIL["executionArn"],
        "status": "SUCCEEDED",
        "redriveCount": 0,
        "stopDate": datetime(2023, 11, 14, 22, 13, 21, 250_000, UTC),
        "output": '{"a":1}',
    }
    failed = read(status="FAILED", output=None, error="Boom", cause="because", redriveCount=2)
    assert (failed.found["error"], failed.found["cause"], failed.found["redriveCount"]) == ("Boom", "because", 2)
    assert "output" not in failed.found
    assert "output" not in read(output=None, outputDetails={"included": False}).found
    assert "stopDate" not in read(status="RUNNING", stopDate=None).found


def test_of_several_events_of_one_execution_the_last_one_counts():
    running, ended = read(status="RUNNING", stopDate=None, output=None), read()
    redriven = read(status="RUNNING", stopDate=None, redriveCount=1)
    other = read(name="two", executionArn=f"{DETAIL['executionArn']}-two", status="RUNNING")
    for events in ([running, ended, other], [ended, other, running], [other, ended, running, ended]):
        assert latest(events) == {"one": ended.found, "two": other.found}
    assert latest([redriven, ended, running])["one"] == redriven.found


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("", "JSON"),
        ("[]", "the message"),
        ("{}", "source"),
        (json.dumps(body_of(DETAIL) | {"source": "aws.ec2"}), "source"),
        (json.dumps(body_of(DETAIL) | {"detail-type": "Something else"}), "detail-type"),
        (json.dumps(body_of(DETAIL | {"status": "TIRED"})), "detail.status"),
        (json.dumps(body_of(DETAIL | {"stopDate": 10**30})), "detail.stopDate"),
        (json.dumps(body_of(DETAIL | {"stopDate": -1})), "detail.stopDate"),
        (json.dumps(body_of(DETAIL | {"name": None})), "detail.name"),
        (json.dumps({"Type": "Notification", "Message": "{}"}), "source"),
    ],
)
def test_what_is_no_event_of_an_execution_is_refused(body: str, said: str):
    with pytest.raises(ValueError, match=said):
        read_event(body)
