"""Watching an execution: its states, again and again, until it has ended."""

import time
from collections.abc import AsyncIterator

import anyio

from workers.executions.execution import Execution
from workers.executions.history import Event, execution_history
from workers.executions.names import execution_arn
from workers.executions.progress import Progress
from workers.executions.waiting import pause
from workers.stepfunctions.account import Account, using

_LONGEST = 2.0
"""Seconds between two looks, at most: somebody watches."""


async def watch_execution(
    execution: str | Execution, *, started: float | None = None, account: Account | None = None
) -> AsyncIterator[Progress]:
    """The progress of an execution (its ARN, or MACHINE:NAME) each time that there is news, until it has ended.

    It is the same object each time. `started`: when it was started, if just now (`time.monotonic()`). Standard
    executions only: Express ones have no history here. Raises `ServiceError`.
    """
    progress, begun = Progress(), time.monotonic()
    async with using(account) as here:
        arn = execution_arn(here, execution)
        while progress.status is None:
            if news := await _news(here, arn, progress.last, started):
                for event in news:
                    progress.add(event)
                yield progress
            if progress.status is None:
                await anyio.sleep(pause(time.monotonic() - begun, longest=_LONGEST))


async def progress_of(execution: str | Execution, *, account: Account | None = None) -> Progress:
    """The progress of an execution until now."""
    progress = Progress()
    async for event in execution_history(execution, data=False, account=account):
        progress.add(event)
    return progress


async def _news(account: Account, arn: str, last: int, started: float | None) -> list[Event]:
    """The events after `last`: the newest are asked for first, so that a long history is not read again."""
    found: list[Event] = []
    history = execution_history(arn, newest_first=True, data=False, created=started, account=account)
    async for event in history:
        if event.id <= last:
            break
        found.append(event)
    return found[::-1]
