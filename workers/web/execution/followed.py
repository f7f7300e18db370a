"""Executions as all their viewers see them: each history is read once an interval, however many look at it."""

import json
import time
from collections import OrderedDict
from collections.abc import AsyncIterator
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import anyio

from workers.executions.execution import Execution, from_description
from workers.histories.event import Event, from_item
from workers.histories.progress import Progress
from workers.machines.definition import load
from workers.machines.graph.chart import Chart, chart_of
from workers.machines.problems import InvalidDefinitionError
from workers.stepfunctions.account import Account
from workers.stepfunctions.protocol import ServiceError
from workers.web.execution.ends import fail_states
from workers.web.execution.items import Items

INTERVAL, INTERVAL_HERE = 1.0, 0.3
"""Seconds between two reads of a history; and on the embedded engine, whose API has no bucket to empty."""
_REST = 5.0
"""Seconds after which somebody who looks at an execution that has ended is told whether it was redriven."""
_PAGE = 1_000
_REMEMBERED = 16
_STEPS = 32
"""Executions that are remembered; and of each, steps with their data."""


class Followed:
    """One execution: its description, its definition, and its history as far as it is known.

    Inputs and outputs are no part of it: there may be gigabytes of them.
    """

    def __init__(self, account: Account, arn: str) -> None:
        self.arn = arn
        self.account = account
        self.execution: Execution
        """Known after `open()`."""
        self.definition = ""
        """ASL, as it was when the execution started; empty where it cannot be had."""
        self.chart: Chart | None = None
        """None where the definition is not to be had, or cannot be drawn."""
        self.fails: dict[str, dict[str, str]] = {}
        """What the Fail states of the definition say."""
        self.events: list[Event] = []
        self.progress = Progress()
        self.items = Items()
        self.reads = 0
        """How often the history was asked for."""
        self.read_steps: OrderedDict[tuple[int, int], list[Event]] = OrderedDict()
        """Events of visits with their data, as they were lately read, by the visit's id and how many events it has."""
        self._token: str | None = None
        self._whole = False
        """Whether all has been read that there was at some time."""
        self._looked = self._described = float("-inf")
        self._lock = anyio.Lock()

    @property
    def ended(self) -> bool:
        """Whether nothing more happens, and all of it is known."""
        return self._whole and self.progress.status is not None

    @property
    def has_history(self) -> bool:
        """Whether Step Functions keeps one: it does not for Express executions."""
        return ":express:" not in self.arn

    @property
    def interval(self) -> float:
        """Seconds between two reads."""
        return INTERVAL_HERE if self.account.settings.local else INTERVAL

    async def open(self) -> None:
        """Reads its description, and the first time its definition. Raises `ServiceError`."""
        async with self._lock:
            await self._describe()
            if not self.definition and self.has_history:
                answer = await self.account.call("DescribeStateMachineForExecution", executionArn=self.arn)
                self.definition = answer["definition"]
                definition = json.loads(self.definition)
                self.fails = fail_states(definition)
                with suppress(InvalidDefinitionError):  # what nobody can draw can still be read
                    self.chart = chart_of(load(definition).sketch())

    async def look(self) -> bool:
        """Reads on in the history, if nobody has just done so; whether there is more to be read at once.

        Raises `ServiceError`.
        """
        if not self.has_history:
            return False
        async with self._lock:
            now = time.monotonic()
            if self._whole and now - self._looked < (_REST if self.ended else self.interval):
                return False
            if self.ended and not await self._redriven():
                self._looked = now
                return False
            await (self._news() if self._whole else self._next_page())
            self._looked = time.monotonic()
            if self.ended:
                await self._describe()
            return not self._whole

    async def read_on(self, seconds: float, stopping: anyio.Event) -> None:
        """Reads the rest of the history for at most so long, while a browser gets ready to follow it."""
        until = time.monotonic() + seconds
        with suppress(ServiceError):  # who follows is told
            while await self.look() and time.monotonic() < until and not stopping.is_set():
                pass

    def remember_step(self, key: tuple[int, int], events: list[Event]) -> None:
        """Keeps what was read of a step, for those who look at it next."""
        self.read_steps[key] = events
        if len(self.read_steps) > _STEPS:
            self.read_steps.popitem(last=False)

    def history(self, *, newest_first: bool, data: bool, page: int) -> AsyncIterator[dict[str, Any]]:
        """The items of the history from one of its ends, with inputs and outputs or without; `page` are read at once.

        Raises `ServiceError`.
        """
        return self.account.items(
            "GetExecutionHistory",
            "events",
            executionArn=self.arn,
            reverseOrder=newest_first,
            includeExecutionData=data,
            maxResults=page,
        )

    async def _redriven(self) -> bool:
        await self._describe()
        return not self.execution.status.ended

    async def _describe(self) -> None:
        answer = await self.account.call("DescribeExecution", executionArn=self.arn)
        self.execution = from_description(answer)

    async def _next_page(self) -> None:
        """The first read goes forwards, page by page, so that viewers see it grow."""
        self.reads += 1
        page = await self.account.call(
            "GetExecutionHistory",
            executionArn=self.arn,
            includeExecutionData=False,
            maxResults=_PAGE,
            nextToken=self._token,
        )
        self._add([from_item(item, decode=False) for item in page["events"]])
        self._token = page.get("nextToken")
        self._whole = self._token is None

    async def _news(self) -> None:
        """Later ones begin at the newest event, so that a long history is not read again."""
        self.reads += 1
        found: list[Event] = []
        page = _PAGE if self.account.settings.local else 100
        async for item in self.history(newest_first=True, data=False, page=page):
            if item["id"] <= self.progress.last:
                break
            found.append(from_item(item, decode=False))
        self._add(found[::-1])

    def _add(self, events: list[Event]) -> None:
        for event in events:
            self.progress.add(event)
            self.items.add(event, self.progress)
        self.events += events

    @property
    def now(self) -> datetime:
        """Until when what runs has run: now, or the end."""
        return self.execution.stopped or datetime.now(UTC)


class Following:
    """The executions that somebody looks at, or has looked at lately."""

    def __init__(self, account: Account) -> None:
        self._account = account
        self._known: OrderedDict[str, Followed] = OrderedDict()

    def __getitem__(self, arn: str) -> Followed:
        """The one that all viewers of `arn` share."""
        found = self._known.get(arn)
        if found is None:
            found = self._known[arn] = Followed(self._account, arn)
            if len(self._known) > _REMEMBERED:
                self._known.popitem(last=False)
        self._known.move_to_end(arn)
        return found
