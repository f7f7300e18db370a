"""A clock that goes on only while somebody sleeps, for what waits for its turn."""

from dataclasses import dataclass, field

import anyio
import pytest


@dataclass
class Clock:
    """The time, and the seconds of every sleep so far."""

    now: float = 100.0
    waits: list[float] = field(default_factory=list)

    async def sleep(self, seconds: float) -> None:
        """Lets the time pass at once."""
        self.waits.append(round(seconds, 6))
        self.now += seconds


def stopped_clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """The clock that `anyio.current_time` and `anyio.sleep` go by from now on; asyncio's own is left alone."""
    clock = Clock()
    monkeypatch.setattr(anyio, "current_time", lambda: clock.now)
    monkeypatch.setattr(anyio, "sleep", clock.sleep)
    return clock
