"""Clients of an engine, and the machines that the scenarios run on it."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from tests.account import ROLE, SESSION, Account, task, unique
from workers.local import LocalStepFunctions

REGION = "us-east-1"
PASS = {"StartAt": "Pass", "States": {"Pass": {"Type": "Pass", "End": True}}}
WAIT = {"StartAt": "Wait", "States": {"Wait": {"Type": "Wait", "Seconds": 600, "End": True}}}


@asynccontextmanager
async def connect(local: LocalStepFunctions, service: str = "stepfunctions", *, pool: int = 100) -> AsyncIterator[Any]:
    """An aiobotocore client of an engine, with room for many polls and without retries."""
    config = Config(max_pool_connections=pool, retries={"total_max_attempts": 1}, inject_host_prefix=False)
    keys = {"aws_access_key_id": "local", "aws_secret_access_key": "local", "region_name": REGION}
    async with SESSION.create_client(service, endpoint_url=local.url, config=config, **keys) as client:
        yield client


@asynccontextmanager
async def refused(code: str) -> AsyncIterator[pytest.ExceptionInfo[ClientError]]:
    """The calls in the context are refused with `code`."""
    with pytest.raises(ClientError) as error:
        yield error
    assert error.value.response["Error"]["Code"] == code, error.value


class Activity:
    """An activity of its own, and the worker who polls it."""

    def __init__(self, client: Any, name: str = "activity") -> None:
        self.client = client
        self.name = unique(name)
        self.arn = f"arn:aws:states:{REGION}:123456789012:activity:{self.name}"

    def machine(self, **fields: Any) -> dict[str, Any]:
        """A machine of one task of this activity."""
        return task(self.name, **fields)

    def state(self, **fields: Any) -> dict[str, Any]:
        """A Task state of this activity."""
        return {"Type": "Task", "Resource": self.arn, **({} if "Next" in fields else {"End": True}), **fields}

    async def poll(self, worker_name: str | None = None) -> dict[str, Any] | None:
        """A task, if one came."""
        name = {} if worker_name is None else {"workerName": worker_name}
        found = await self.client.get_activity_task(activityArn=self.arn, **name)
        return found if found.get("taskToken") else None

    async def task(self) -> tuple[str, Any]:
        """The token and the input of the next task, however long it takes to come."""
        while (found := await self.poll("tester")) is None:
            pass
        return found["taskToken"], json.loads(found["input"])

    async def succeed(self, token: str, output: Any = None) -> None:
        await self.client.send_task_success(taskToken=token, output=json.dumps(output))

    async def fail(self, token: str, error: str = "Broken", cause: str = "by the test") -> None:
        await self.client.send_task_failure(taskToken=token, error=error, cause=cause)


async def create_machine(client: Any, definition: Any, name: str = "machine", **options: Any) -> str:
    """The ARN of a fresh state machine."""
    made = await client.create_state_machine(
        name=unique(name), definition=json.dumps(definition), roleArn=ROLE, **options
    )
    return str(made["stateMachineArn"])


def types(events: list[dict[str, Any]]) -> list[str]:
    return [event["type"] for event in events]


async def history(account: Account, execution: str) -> list[str]:
    """The types of the events of an execution."""
    return types(await account.events(execution))
