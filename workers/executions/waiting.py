"""Waiting for the end of an execution, at a pace that the API's bucket bears."""

import random
import time
from dataclasses import replace
from datetime import datetime
from typing import Any

import anyio

from workers.executions.execution import Execution, Status, from_description
from workers.executions.failure import failed_state
from workers.executions.names import execution_arn
from workers.stepfunctions.account import Account, using

_SHORTEST = 0.1
_LONGEST = 10.0
_SHARE = 0.1
"""Seconds between two looks for each second waited: the end is seen at most a tenth of the waiting later."""


async def describe_execution(execution: str | Execution, *, account: Account | None = None) -> Execution:
    """An execution (its ARN, or MACHINE:NAME) as it is now. Raises `ServiceError`."""
    async with using(account) as here:
        arn = execution_arn(here, execution)
        return await explained(here, from_description(await here.call("DescribeExecution", executionArn=arn)))


async def wait_for_execution(
    execution: str | Execution, *, redriven: datetime | None = None, account: Account | None = None
) -> Execution:
    """The execution when it has ended, well or not: `raise_for_status()` tells.

    `redriven`: what `redrive_execution` returned; until that is known everywhere, the execution seems to have ended.
    Raises `ServiceError`.
    """
    async with using(account) as here:
        return await ended(here, execution_arn(here, execution), redriven=redriven)


async def ended(
    account: Account, arn: str, *, started: float | None = None, redriven: datetime | None = None
) -> Execution:
    """The execution `arn` when it has ended.

    `started`: when it was started, if just now (`time.monotonic()`); it may not be known at once. `redriven`: since
    when it has been running again.
    """
    begun = time.monotonic()
    while True:
        found = await account.call("DescribeExecution", created=started, executionArn=arn)
        if Status(found["status"]).ended and (redriven is None or _since(found, redriven)):
            return await explained(account, from_description(found))
        await anyio.sleep(pause(time.monotonic() - begun))


async def explained(account: Account, execution: Execution) -> Execution:
    """The execution with the state in which it failed, if it did."""
    if not execution.status.ended or execution.succeeded or ":express:" in execution.arn:
        return execution
    return replace(execution, failed_state=await failed_state(account, execution.arn))


def _since(found: dict[str, Any], redriven: datetime) -> bool:
    return bool(found.get("redriveDate") and found["redriveDate"] >= redriven)


def pause(waited: float, *, longest: float = _LONGEST) -> float:
    """Seconds until the next look, after `waited` seconds."""
    jitter = random.uniform(0.8, 1.0)  # noqa: S311 - so that many who wait together do not look together
    return jitter * min(longest, max(_SHORTEST, waited * _SHARE))
