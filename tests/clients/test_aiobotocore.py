"""aiobotocore, with all executions at once."""

import asyncio
from collections.abc import Mapping
from typing import Any

import pytest
from aiobotocore.session import get_session

from tests.clients.checks import check
from tests.clients.conftest import ROLE

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]


async def test_it_creates_starts_and_reads(
    aws: Mapping[str, str],
    monkeypatch: pytest.MonkeyPatch,
    definition: str,
    activities: list[str],
    inputs: dict[str, str],
) -> None:
    for name, value in aws.items():
        monkeypatch.setenv(name, value)
    async with get_session().create_client("stepfunctions") as client:
        await asyncio.gather(*(client.create_activity(name=name) for name in activities))
        created = await client.create_state_machine(name="by-aiobotocore", definition=definition, roleArn=ROLE)

        async def run(package: str, given: str) -> None:
            started = await client.start_execution(stateMachineArn=created["stateMachineArn"], input=given)
            check(package, *await ended(client, started["executionArn"]))

        await asyncio.gather(*(run(package, given) for package, given in inputs.items()))


async def ended(client: Any, arn: str) -> tuple[Any, list[Any]]:
    """The execution once it has ended, and its events."""
    while (execution := await client.describe_execution(executionArn=arn))["status"] == "RUNNING":
        await asyncio.sleep(0.1)
    pages = client.get_paginator("get_execution_history").paginate(executionArn=arn)
    return execution, [event async for page in pages for event in page["events"]]
