"""Tasks that wait for their token to come back, through SQS."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.account import Account, unique
from tests.local.helpers import connect, history, refused
from workers.local import LocalStepFunctions


class Queue:
    """A queue of SQS, and the machine that sends its token there."""

    def __init__(self, sqs: Any, url: str) -> None:
        self.sqs = sqs
        self.url = url

    def machine(self, **fields: Any) -> dict[str, Any]:
        body = {"token.$": "$$.Task.Token", "value.$": "$"}
        state = {
            "Type": "Task",
            "Resource": "arn:aws:states:::sqs:sendMessage.waitForTaskToken",
            "Parameters": {"QueueUrl": self.url, "MessageBody": body},
            "End": True,
            **fields,
        }
        return {"StartAt": "Ask", "States": {"Ask": state}}

    async def message(self) -> tuple[str, Any]:
        """The token and the value of the next message."""
        while not (found := await self.sqs.receive_message(QueueUrl=self.url, WaitTimeSeconds=5)).get("Messages"):
            pass
        message = found["Messages"][0]
        await self.sqs.delete_message(QueueUrl=self.url, ReceiptHandle=message["ReceiptHandle"])
        body = json.loads(message["Body"])
        return body["token"], body["value"]


@pytest.fixture
async def queue(engine: LocalStepFunctions) -> AsyncIterator[Queue]:
    async with connect(engine, "sqs") as sqs:
        yield Queue(sqs, (await sqs.create_queue(QueueName=unique("queue")))["QueueUrl"])


async def test_a_token_comes_back(queue: Queue, account: Account):
    execution = await account.start(queue.machine(), {"x": 1})
    token, value = await queue.message()
    assert value == {"x": 1}
    await account.client.send_task_heartbeat(taskToken=token)
    async with refused("InvalidOutput"):
        await account.client.send_task_success(taskToken=token, output="nonsense")
    await account.client.send_task_success(taskToken=token, output='{"approved": true}')
    assert json.loads((await account.ended(execution))["output"]) == {"approved": True}
    assert (await history(account, execution))[2:-2] == [
        "TaskScheduled",
        "TaskStarted",
        "TaskSubmitted",
        "TaskSucceeded",
    ]
    for call, arguments in (
        ("send_task_success", {"output": "1"}),
        ("send_task_failure", {}),
        ("send_task_heartbeat", {}),
    ):
        async with refused("TaskTimedOut"):
            await getattr(account.client, call)(taskToken=token, **arguments)


async def test_each_attempt_has_a_token_of_its_own(queue: Queue, account: Account):
    retry = [{"ErrorEquals": ["Again"], "IntervalSeconds": 1, "MaxAttempts": 2}]
    execution = await account.start(queue.machine(Retry=retry), "value")
    first, _ = await queue.message()
    await account.client.send_task_failure(taskToken=first, error="Again", cause="not yet")
    second, _ = await queue.message()
    assert first != second
    async with refused("TaskTimedOut"):
        await account.client.send_task_success(taskToken=first, output="1")
    await account.client.send_task_success(taskToken=second, output='"second"')
    assert (await account.ended(execution))["output"] == '"second"'


async def test_a_missed_heartbeat(queue: Queue, account: Account):
    execution = await account.start(queue.machine(HeartbeatSeconds=1), None)
    token, _ = await queue.message()
    assert (await account.ended(execution))["error"] == "States.Timeout"
    async with refused("TaskTimedOut"):
        await account.client.send_task_success(taskToken=token, output="1")


async def test_a_token_that_comes_back_at_once(account: Account, queue: Queue):
    """Before the interpreter, which still reads the answer of SQS, waits for heartbeats."""
    executions = [await account.start(queue.machine(HeartbeatSeconds=30), n) for n in range(5)]
    for _ in executions:
        token, value = await queue.message()
        await account.client.send_task_success(taskToken=token, output=json.dumps(value))
    async with asyncio.timeout(20):
        assert [(await account.ended(execution))["output"] for execution in executions] == list("01234")


async def test_a_stop_ends_the_wait(queue: Queue, account: Account):
    execution = await account.start(queue.machine(), None)
    token, _ = await queue.message()
    await account.reached(execution, "TaskSubmitted")
    await account.client.stop_execution(executionArn=execution)
    assert (await account.ended(execution))["status"] == "ABORTED"
    async with refused("TaskTimedOut"):
        await account.client.send_task_success(taskToken=token, output="1")
