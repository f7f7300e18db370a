"""Waiting for the end of an execution, at a pace that the API's bucket bears."""

import time
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Any

import anyio

from workers.executions.execution import Execution, Status, from_description
from workers.executions.failure import failed_state
from workers.executions.looks import LONGEST, SHORTEST, SHORTEST_HERE, WATCHED, pause
from workers.executions.names import execution_arn
from workers.executions.watching import Watch
from workers.histories.progress import Progress
from workers.stepfunctions.account import Account, using

Watching = Callable[[Progress], None]
"""Called with what is new, while an execution is waited for."""


async def describe_execution(execution: str | Execution, *, account: Account | None = None) -> Execution:
    """An execution (its ARN, or MACHINE:NAME) as it is now. Raises `ServiceError`."""
    async with using(account) as here:
        arn = execution_arn(here, execution)
        return await explained(here, from_description(await here.call("DescribeExecution", executionArn=arn)))


async def wait_for_execution(
    execution: str | Execution,
    *,
    redriven: datetime | None = None,
    watching: Watching | None = None,
    account: Account | None = None,
) -> Execution:
    """The execution when it has ended, well or not: `raise_for_status()` tells.

    `redriven`: what `redrive_execution` returned; until that is known everywhere, the execution seems to have ended.
    `watching` is called with the progress of its states. Raises `ServiceError`.
    """
    async with using(account) as here:
        return await ended(here, execution_arn(here, execution), redriven=redriven, watching=watching)


async def ended(
    account: Account,
    arn: str,
    *,
    started: float | None = None,
    redriven: datetime | None = None,
    watching: Watching | None = None,
) -> Execution:
    """See `wait_for_execution`. `started`: when it was started, if just now (`time.monotonic()`): then it may not be
    known at once."""
    begun = time.monotonic()
    watch = Watch(account, arn, started=started) if watching else None
    longest = WATCHED if watch else LONGEST
    shortest = SHORTEST_HERE if account.settings.local else SHORTEST
    while True:
        found = await account.call("DescribeExecution", created=started, executionArn=arn)
        if watch and watching and await watch.look():
            watching(watch.progress)
        if Status(found["status"]).ended and (redriven is None or _since(found, redriven)):
            return await explained(account, from_description(found))
        await anyio.sleep(pause(time.monotonic() - begun, longest=longest, shortest=shortest))


async def explained(account: Account, execution: Execution) -> Execution:
    """The execution with the state in which it failed, if it did."""
    if not execution.status.ended or execution.succeeded or ":express:" in execution.arn:
        return execution
    return replace(execution, failed_state=await failed_state(account, execution.arn))


def _since(found: dict[str, Any], redriven: datetime) -> bool:
    return bool(found.get("redriveDate") and found["redriveDate"] >= redriven)
