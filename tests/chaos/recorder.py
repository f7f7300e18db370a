"""What passed through the proxy: every call, and what became of every token."""

import asyncio
import time
from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tests.chaos.faults import Fault

PATIENCE = 30.0
"""Seconds in which what a test waits for must happen."""
_REPORTS = ("SendTaskSuccess", "SendTaskFailure")


@dataclass
class Call:
    """A call of a worker. Times are `time.monotonic()`."""

    operation: str
    parameters: dict[str, Any]
    fault: Fault | None = None
    began: float = field(default_factory=time.monotonic)
    passed_on: bool = False
    status: int | None = None
    """Of the answer, also where the worker did not get it; None before there is one."""
    answered: float | None = None
    """When the worker got a whole answer; None as long as it did not."""

    @property
    def open(self) -> bool:
        """Whether the engine works on it."""
        return self.passed_on and self.status is None

    @property
    def accepted(self) -> bool:
        """Whether Step Functions took the call and the worker knows it."""
        return self.status == 200 and self.answered is not None


class Recorder:
    """Collects calls; tests ask it, or wait for something to happen."""

    def __init__(self) -> None:
        self.calls: list[Call] = []
        self.handed = Counter[str]()
        """Tokens that the engine gave to a poll, and how often."""
        self.lost: set[str] = set()
        """Tokens of which no worker heard."""
        self._news = asyncio.Condition()

    async def note(self, call: Call) -> None:
        """Takes up a call that has begun."""
        self.calls.append(call)
        await self.changed()

    async def changed(self) -> None:
        """Wakes whoever waits for something to happen."""
        async with self._news:
            self._news.notify_all()

    async def until(self, happened: Callable[[], Any]) -> None:
        """Waits until `happened()` is true; it is asked whenever a call begins, is passed on or ends."""
        async with asyncio.timeout(PATIENCE), self._news:
            await self._news.wait_for(happened)

    def of(self, operation: str, *, since: float = 0.0) -> list[Call]:
        """The calls whose operation begins so, which began at `since` or later."""
        return [call for call in self.calls if call.operation.startswith(operation) and call.began >= since]

    def open_polls(self) -> int:
        """Polls that the engine holds."""
        return sum(call.open for call in self.of("GetActivityTask"))

    def contradictions(self) -> dict[str, list[str]]:
        """Tokens for which different reports were sent. Repeating one is right: its answer may have been lost."""
        said: defaultdict[str, set[str]] = defaultdict(set)
        for call in self.calls:
            if call.operation in _REPORTS:
                content = {name: value for name, value in call.parameters.items() if name != "taskToken"}
                said[call.parameters["taskToken"]].add(f"{call.operation} {sorted(content.items())}")
        return {token: sorted(reports) for token, reports in said.items() if len(reports) > 1}

    def summary(self) -> str:
        """Figures for the reader of a test's output."""
        operations = Counter(call.operation for call in self.calls)
        faults = Counter(str(call.fault) for call in self.calls if call.fault)
        repeated = sum(count - 1 for count in self._reports_per_token().values())
        return (
            f"{dict(operations)}; faults {dict(faults)}; {len(self.handed)} tokens handed out, {len(self.lost)} lost, "
            f"{repeated} reports repeated"
        )

    def _reports_per_token(self) -> Counter[str]:
        return Counter(call.parameters["taskToken"] for call in self.calls if call.operation in _REPORTS)
