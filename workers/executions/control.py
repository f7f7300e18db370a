"""Stopping and redriving one execution."""

import uuid
from datetime import datetime

from workers.executions.execution import Execution
from workers.executions.names import execution_arn
from workers.stepfunctions.account import Account, using


async def stop_execution(
    execution: str | Execution, *, error: str | None = None, cause: str | None = None, account: Account | None = None
) -> datetime:
    """Stops an execution (its ARN, or MACHINE:NAME); returns when it stopped. Its status becomes ABORTED.

    `error` and `cause` are shown as the reason. Running tasks hear of it with their next heartbeat. Raises
    `ServiceError`.
    """
    async with using(account) as here:
        arn = execution_arn(here, execution)
        answer = await here.call("StopExecution", executionArn=arn, error=error, cause=cause)
        stopped: datetime = answer["stopDate"]
        return stopped


async def redrive_execution(execution: str | Execution, *, account: Account | None = None) -> datetime:
    """Continues an execution that failed, timed out or was stopped, from where it ended; returns since when it runs.

    `wait_for_execution` takes that time as `redriven`. Standard executions only, within 14 days of their end
    (RedriveExecution, API reference). Raises `ServiceError`, with the code ExecutionNotRedrivable for others.
    """
    async with using(account) as here:
        arn = execution_arn(here, execution)
        answer = await here.call("RedriveExecution", executionArn=arn, clientToken=str(uuid.uuid4()))
        redriven: datetime = answer["redriveDate"]
        return redriven
