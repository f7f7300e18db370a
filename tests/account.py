"""A Step Functions account to play with: machines of one activity task, executions, and how they ended."""

import json
import uuid
from itertools import count
from typing import Any

import anyio
from aiobotocore.session import get_session

SESSION = get_session()
"""One for all tests that need no other: a session reads the models of its services from files."""
ROLE = "arn:aws:iam::123456789012:role/states"
PREFIX = "arn:aws:states:us-east-1:123456789012"


def task(activity: str, **fields: Any) -> dict[str, Any]:
    """A machine of one activity task."""
    state = {"Type": "Task", "Resource": f"{PREFIX}:activity:{activity}", "End": True, **fields}
    return {"StartAt": "Work", "States": {"Work": state}}


def unique(name: str) -> str:
    """A name that no other test has."""
    return f"{name}-{uuid.uuid4().hex[:10]}"


async def seen(client: Any, machine: str) -> None:
    """Waits until a new machine is seen: on AWS that takes a moment."""
    while True:
        try:
            await client.describe_state_machine(stateMachineArn=machine)
        except client.exceptions.StateMachineDoesNotExist:
            await anyio.sleep(0.25)
        else:
            return


class Account:
    """Machines and executions of one test."""

    def __init__(self, client: Any) -> None:
        self.client = client

    async def start(self, definition: dict[str, Any], value: Any = None) -> str:
        """Starts an execution of a fresh machine; creates its activities first, as a deployment would."""
        text = json.dumps(definition)
        for state in definition["States"].values():
            if ":activity:" in state.get("Resource", ""):
                await self.client.create_activity(name=state["Resource"].rpartition(":")[2])
        machine = await self.client.create_state_machine(name=unique("machine"), definition=text, roleArn=ROLE)
        await seen(self.client, machine["stateMachineArn"])
        started = await self.client.start_execution(stateMachineArn=machine["stateMachineArn"], input=json.dumps(value))
        return str(started["executionArn"])

    async def ended(self, execution: str) -> dict[str, Any]:
        """How the execution ended."""
        for look in count():
            found = await self.client.describe_execution(executionArn=execution)
            if found["status"] != "RUNNING":
                return dict(found)
            await anyio.sleep(0.02 if look < 100 else 0.25)  # AWS allows only so many looks in a second
        raise AssertionError

    async def run(self, definition: dict[str, Any], value: Any = None) -> dict[str, Any]:
        """Starts an execution and waits for its end."""
        return await self.ended(await self.start(definition, value))

    async def output(self, definition: dict[str, Any], value: Any = None) -> Any:
        """The output of an execution that succeeds."""
        found = await self.run(definition, value)
        assert found["status"] == "SUCCEEDED", found
        return json.loads(found["output"])

    async def failure(self, definition: dict[str, Any], value: Any = None) -> tuple[str, dict[str, Any]]:
        """Error name and cause of an execution that fails; a cause that is no JSON comes as its text."""
        found = await self.run(definition, value)
        assert found["status"] == "FAILED", found
        try:
            cause = json.loads(found["cause"])
        except ValueError:
            cause = {"text": found["cause"]}
        return found["error"], cause

    async def events(self, execution: str) -> list[dict[str, Any]]:
        """Its whole history."""
        pages = self.client.get_paginator("get_execution_history").paginate(executionArn=execution)
        return [event async for page in pages for event in page["events"]]

    async def reached(self, execution: str, kind: str) -> dict[str, Any]:
        """Waits for an event of `kind` and gives it."""
        while True:
            for event in await self.events(execution):
                if event["type"] == kind:
                    return event
            await anyio.sleep(0.02)
