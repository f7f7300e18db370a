"""Status changes of executions, on their way through EventBridge to a queue."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from tests.account import unique
from tests.local.helpers import PASS, connect, create_machine
from workers.arns import Place
from workers.local import LocalStepFunctions
from workers.local.events import DATA_LIMIT, ExecutionEvents, status_change
from workers.local.services import OtherServices

MACHINE = "arn:aws:states:us-east-1:123456789012:stateMachine:orders"
RUNNING: dict[str, Any] = {
    "executionArn": "arn:aws:states:us-east-1:123456789012:execution:orders:one",
    "stateMachineArn": MACHINE,
    "name": "one",
    "status": "RUNNING",
    "startDate": 1_700_000_000.5,
    "stopDate": None,
    "input": '{"a":1}',
    "inputDetails": {"included": True},
    "output": None,
    "redriveCount": 0,
    "redriveStatus": "NOT_REDRIVABLE",
}


def ended(**changes: Any) -> dict[str, Any]:
    return RUNNING | {"status": "SUCCEEDED", "stopDate": 1_700_000_001.25, "output": "2"} | changes


def test_an_event_of_a_start():
    event = status_change(RUNNING)
    assert event["Source"] == "aws.states"
    assert event["DetailType"] == "Step Functions Execution Status Change"
    assert event["Resources"] == [RUNNING["executionArn"]]
    assert json.loads(event["Detail"]) == {
        "executionArn": RUNNING["executionArn"],
        "stateMachineArn": MACHINE,
        "name": "one",
        "status": "RUNNING",
        "startDate": 1_700_000_000_500,
        "stopDate": None,
        "redriveDate": None,
        "input": '{"a":1}',
        "output": None,
        "inputDetails": {"included": True},
        "outputDetails": None,
        "error": None,
        "cause": None,
        "stateMachineVersionArn": None,
        "stateMachineAliasArn": None,
        "redriveCount": 0,
        "redriveStatus": "NOT_REDRIVABLE",
        "redriveStatusReason": None,
    }


def test_large_data_is_left_out():
    half = json.dumps("x" * (DATA_LIMIT // 2))
    detail = json.loads(status_change(ended(input=half, output=half))["Detail"])
    assert (detail["input"], detail["output"]) == (None, None)
    assert detail["inputDetails"] == detail["outputDetails"] == {"included": False}
    assert detail["status"] == "SUCCEEDED"


class Listener:
    """A queue that a rule sends events to."""

    def __init__(self, sqs: Any, url: str) -> None:
        self._sqs = sqs
        self._url = url

    async def events(self, count: int) -> list[dict[str, Any]]:
        """The next `count` events, in the order they came."""
        found: list[dict[str, Any]] = []
        while len(found) < count:
            answer = await self._sqs.receive_message(QueueUrl=self._url, WaitTimeSeconds=1, MaxNumberOfMessages=10)
            for message in answer.get("Messages", []):
                found.append(json.loads(message["Body"]))
                await self._sqs.delete_message(QueueUrl=self._url, ReceiptHandle=message["ReceiptHandle"])
        return found


@asynccontextmanager
async def listening(engine: LocalStepFunctions, detail: dict[str, Any]) -> AsyncIterator[Listener]:
    """A queue for the events of executions whose detail matches."""
    name = unique("events")
    async with connect(engine, "events") as events, connect(engine, "sqs") as sqs:
        pattern = json.dumps({"source": ["aws.states"], "detail": detail})
        await events.put_rule(Name=name, EventPattern=pattern)
        arn = f"arn:aws:sqs:us-east-1:123456789012:{name}"
        await events.put_targets(Rule=name, Targets=[{"Id": "queue", "Arn": arn}])
        yield Listener(sqs, (await sqs.create_queue(QueueName=name))["QueueUrl"])


@pytest.fixture
async def sender(engine: LocalStepFunctions) -> AsyncIterator[ExecutionEvents]:
    services = OtherServices(engine.port)
    services.has_rules = True
    events = ExecutionEvents(Place("aws", "us-east-1", "123456789012"), services)
    yield events
    await events.close()


async def test_events_arrive_in_order(engine: LocalStepFunctions, sender: ExecutionEvents):
    name = unique("machine")
    arn = f"{MACHINE}-{name}"
    async with listening(engine, {"stateMachineArn": [arn]}) as listener:
        for number in range(15):
            execution = RUNNING | {"stateMachineArn": arn, "name": str(number)}
            sender.changed(lambda execution=execution: execution)
        sender.changed(lambda: ended(stateMachineArn=arn, name="15"))
        sender.changed(lambda: RUNNING | {"stateMachineArn": "another"})
        arrived = await listener.events(16)
    assert [event["detail"]["name"] for event in arrived] == [str(number) for number in range(16)]
    assert arrived[-1]["time"] == "2023-11-14T22:13:21Z"
    assert arrived[-1]["region"] == "us-east-1"
    assert arrived[-1]["resources"] == [RUNNING["executionArn"]]


async def test_children_of_a_map_tell_of_their_start_and_their_end(engine: LocalStepFunctions):
    config = {"ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}}
    each = {"Type": "Map", "Label": "Items", "ItemProcessor": {**PASS, **config}, "End": True}
    async with connect(engine) as client:
        machine = await create_machine(client, {"StartAt": "Each", "States": {"Each": each}})
        async with listening(engine, {"stateMachineArn": [machine]}) as listener:
            await client.start_execution(stateMachineArn=machine, input="[1]")
            arrived = [event["detail"] for event in await listener.events(4)]
    told = [("/Items:" in detail["executionArn"], detail["status"]) for detail in arrived]
    assert told == [(False, "RUNNING"), (True, "RUNNING"), (True, "SUCCEEDED"), (False, "SUCCEEDED")]


async def test_nothing_is_described_while_nobody_listens():
    events = ExecutionEvents(Place("aws", "us-east-1", "123456789012"), OtherServices(1))
    events.changed(lambda: pytest.fail("nobody would hear of it"))
    await events.close()


async def test_what_is_not_sent_is_forgotten_at_the_end(engine: LocalStepFunctions, sender: ExecutionEvents):
    for _ in range(3):
        sender.changed(lambda: RUNNING)
    await asyncio.sleep(0)
    await sender.close()
