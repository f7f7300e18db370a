"""The history of an execution: what happened, event by event."""

from collections.abc import AsyncIterator
from typing import Any

from workers.executions.execution import Execution
from workers.executions.names import execution_arn
from workers.histories.event import Event, from_item
from workers.stepfunctions.account import Account, using

_PAGE = 1_000


async def execution_history(
    execution: str | Execution,
    *,
    newest_first: bool = False,
    data: bool = True,
    created: float | None = None,
    account: Account | None = None,
) -> AsyncIterator[Event]:
    """The events of an execution (its ARN, or MACHINE:NAME), over all pages.

    `data`: with inputs and outputs. `created`: when it was started, if just now (`time.monotonic()`): it may not be
    known at once. Raises `ServiceError`.
    """
    async with using(account) as here:
        arn = execution_arn(here, execution)
        async for item in history_items(here, arn, newest_first=newest_first, data=data, created=created):
            yield from_item(item)


async def history_items(
    account: Account, arn: str, *, newest_first: bool = False, data: bool = True, created: float | None = None
) -> AsyncIterator[dict[str, Any]]:
    """The events of an execution as GetExecutionHistory gives them, over all pages."""
    async for item in account.items(
        "GetExecutionHistory",
        "events",
        created=created,
        executionArn=arn,
        reverseOrder=newest_first,
        includeExecutionData=data,
        maxResults=_PAGE,
    ):
        yield item
