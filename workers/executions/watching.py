"""Watching an execution: its states, again and again, until it has ended."""

import time
from collections.abc import AsyncIterator

import anyio

from workers.executions.execution import Execution
from workers.executions.history import execution_history
from workers.executions.looks import WATCHED, pause
from workers.executions.names import execution_arn
from workers.histories.event import Event
from workers.histories.progress import Progress
from workers.stepfunctions.account import Account, using


class Watch:
    """The progress of one execution, kept up to date by reading only what is new in its history."""

    def __init__(self, account: Account, arn: str, *, started: float | None = None) -> None:
        self.progress = Progress()
        self._account = account
        self._arn = arn
        self._started = started

    async def look(self) -> bool:
        """Reads on. Whether there was news. Raises `ServiceError`."""
        news = await self._news()
        for event in news:
            self.progress.add(event)
        return bool(news)

    async def _news(self) -> list[Event]:
        """The newest are asked for first, so that a long history is not read again."""
        found: list[Event] = []
        history = execution_history(
            self._arn, newest_first=True, data=False, created=self._started, account=self._account
        )
        async for event in history:
            if event.id <= self.progress.last:
                break
            found.append(event)
        return found[::-1]


async def watch_execution(execution: str | Execution, *, account: Account | None = None) -> AsyncIterator[Progress]:
    """The progress of an execution (its ARN, or MACHINE:NAME) each time that there is news, until it has ended.

    It is the same object each time. Standard executions only: Express ones have no history here. Raises
    `ServiceError`.
    """
    begun = time.monotonic()
    async with using(account) as here:
        watch = Watch(here, execution_arn(here, execution))
        while True:
            if await watch.look():
                yield watch.progress
            if watch.progress.status:
                return
            await anyio.sleep(pause(time.monotonic() - begun, longest=WATCHED))


async def progress_of(execution: str | Execution, *, account: Account | None = None) -> Progress:
    """The progress of an execution until now."""
    progress = Progress()
    async for event in execution_history(execution, data=False, account=account):
        progress.add(event)
    return progress
