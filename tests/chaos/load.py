"""Many executions of one machine, and what became of them."""

import json
from collections import Counter, deque
from collections.abc import AsyncIterator, Iterable
from contextlib import suppress
from typing import Any

import anyio

from tests.account import ROLE, Account, seen, task, unique

_LOOK_EVERY = 0.25
_RETRIED = ["Worker.ShuttingDown", "States.Timeout", "States.HeartbeatTimeout"]


def recovering(activity: str, *, heartbeat: int) -> dict[str, Any]:
    """A machine that brings a task back when its worker is stopped, or is not heard of for `heartbeat` seconds."""
    retry = {"ErrorEquals": _RETRIED, "IntervalSeconds": 1, "BackoffRate": 1, "MaxAttempts": 20}
    return task(activity, HeartbeatSeconds=heartbeat, Retry=[retry])


class Load:
    """Executions of one machine."""

    def __init__(self, account: Account, machine: str) -> None:
        self._client = account.client
        self._machine = machine
        self.executions: list[str] = []

    @classmethod
    async def of(cls, account: Account, definition: dict[str, Any]) -> "Load":
        """A load on a fresh machine."""
        for state in definition["States"].values():
            await account.client.create_activity(name=state["Resource"].rpartition(":")[2])
        made = await account.client.create_state_machine(
            name=unique("load"), definition=json.dumps(definition), roleArn=ROLE
        )
        await seen(account.client, made["stateMachineArn"])
        return cls(account, made["stateMachineArn"])

    async def start_one(self, value: Any) -> str:
        """Starts an execution and gives its ARN."""
        name = unique("run")
        with suppress(self._client.exceptions.ExecutionAlreadyExists):  # it was accepted, and the answer was lost
            await self._client.start_execution(stateMachineArn=self._machine, input=json.dumps(value), name=name)
        self.executions.append(f"{self._machine.replace(':stateMachine:', ':execution:')}:{name}")
        return self.executions[-1]

    async def run(self, inputs: Iterable[Any], *, rate: int, window: int) -> None:
        """Runs an execution of each input to its end: at most `rate` begin in a second, `window` run at a time."""
        waiting = deque(inputs)
        while (running := await self.open()) or waiting:
            for _ in range(min(len(waiting), window - running, max(1, int(rate * _LOOK_EVERY)))):
                await self.start_one(waiting.popleft())
            await anyio.sleep(_LOOK_EVERY)

    async def open(self) -> int:
        """How many run now."""
        listed = await self._client.list_executions(
            stateMachineArn=self._machine, statusFilter="RUNNING", maxResults=1000
        )
        return len(listed["executions"])

    async def ended(self) -> None:
        """Waits for the end of all."""
        while await self.open():
            await anyio.sleep(_LOOK_EVERY)

    async def statuses(self) -> Counter[str]:
        """How many ended in which way."""
        return Counter([execution["status"] async for execution in self.listed()])

    async def listed(self) -> AsyncIterator[dict[str, Any]]:
        """All executions, as they are listed."""
        pages = self._client.get_paginator("list_executions").paginate(stateMachineArn=self._machine)
        async for page in pages:
            for execution in page["executions"]:
                yield execution

    async def events(self) -> Counter[str]:
        """How many events of each type stand in all histories: ActivityTimedOut, ActivityFailed …"""
        found = Counter[str]()
        for execution in self.executions:
            history = await self._client.get_execution_history(executionArn=execution, maxResults=1000)
            found.update(event["type"] for event in history["events"])
        return found
