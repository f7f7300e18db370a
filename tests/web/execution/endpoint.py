"""Executions on the engine, with the test as their worker."""

import json
from dataclasses import dataclass
from typing import Any

from tests.account import PREFIX, ROLE, unique
from workers.stepfunctions.account import Account


@dataclass(frozen=True)
class Endpoint:
    """An account, and the URL of pages on it."""

    account: Account
    url: str

    async def start(self, definition: dict[str, Any], value: Any = None, *, name: str | None = None) -> str:
        """Starts an execution of a fresh machine; its activities exist, too."""
        for resource in _resources(definition):
            if ":activity:" in resource:
                await self.account.call("CreateActivity", name=resource.rpartition(":")[2])
        machine = await self.account.call(
            "CreateStateMachine", name=unique("machine"), definition=json.dumps(definition), roleArn=ROLE
        )
        started = await self.account.call(
            "StartExecution",
            stateMachineArn=machine["stateMachineArn"],
            input=json.dumps({} if value is None else value),
            name=name or unique("execution"),
        )
        return str(started["executionArn"])

    def page(self, execution: str, query: str = "") -> str:
        """The address of the page of an execution."""
        return f"{self.url}/executions/{execution}{query}"

    async def take(self, activity: str) -> str:
        """The token of the next task of an activity."""
        while True:
            polled = await self.account.call(
                "GetActivityTask", activityArn=f"{PREFIX}:activity:{activity}", workerName="tester"
            )
            if token := polled.get("taskToken"):
                return str(token)

    async def succeed(self, activity: str, output: Any = None) -> None:
        """Takes a task and returns `output`."""
        token = await self.take(activity)
        await self.account.call("SendTaskSuccess", taskToken=token, output=json.dumps(output or {}))

    async def fail(self, activity: str, error: str, cause: Any) -> None:
        """Takes a task and fails it."""
        text = cause if isinstance(cause, str) else json.dumps(cause)
        await self.account.call("SendTaskFailure", taskToken=await self.take(activity), error=error, cause=text)

    async def ended(self, execution: str) -> str:
        """The status of an execution when it has ended."""
        while True:
            found = await self.account.call("DescribeExecution", executionArn=execution)
            if found["status"] != "RUNNING":
                return str(found["status"])


def activity(name: str, **fields: Any) -> dict[str, Any]:
    """A state that waits for a worker."""
    return {"Type": "Task", "Resource": f"{PREFIX}:activity:{name}", **fields}


def _resources(node: Any) -> list[str]:
    if isinstance(node, dict):
        own = [node["Resource"]] if isinstance(node.get("Resource"), str) else []
        return own + [one for value in node.values() for one in _resources(value)]
    return [one for value in node for one in _resources(value)] if isinstance(node, list) else []
