"""The engine's time: real, skipping, or moved by hand.

All times are seconds since 1970. Whatever waits in the engine (Wait states, retries, timeouts, heartbeats) waits for a
timer of its clock; only open polls are held in real time, because it is a client that waits.
"""

import asyncio
import heapq
import time
from collections.abc import Callable
from functools import cached_property
from itertools import count

QUIET = 0.003
"""Real seconds without any request or transition after which the skipping clock jumps."""

MANY_TURNS = 10_000
FEW_TURNS = 10


class Timer:
    """Something that happens at `when`, unless it is cancelled before."""

    __slots__ = ("callback", "handle", "when")

    def __init__(self, when: float, callback: Callable[[], None]) -> None:
        self.when = when
        self.callback: Callable[[], None] | None = callback
        self.handle: asyncio.TimerHandle | None = None

    def cancel(self) -> None:
        """Nothing will happen; may be called at any time."""
        self.callback = None
        if self.handle:
            self.handle.cancel()
            self.handle = None

    def fire(self) -> None:
        callback, self.callback = self.callback, None
        if callback:
            callback()


class Clock:
    """Real time. Also what all clocks have."""

    def __init__(self) -> None:
        self._holds = 0

    @cached_property
    def _loop(self) -> asyncio.AbstractEventLoop:
        return asyncio.get_running_loop()

    def now(self) -> float:
        return time.time()

    def go_on(self, since: float) -> None:
        """Goes on not before `since`, where time was moved before the engine was started again."""

    def call_at(self, when: float, callback: Callable[[], None]) -> Timer:
        """Calls `callback` at `when`, or very soon if that has passed."""
        timer = Timer(when, callback)
        timer.handle = self._loop.call_later(max(when - self.now(), 0), timer.fire)
        return timer

    async def sleep_until(self, when: float) -> None:
        """Returns at `when`."""
        done: asyncio.Future[None] = self._loop.create_future()
        timer = self.call_at(when, lambda: None if done.done() else done.set_result(None))
        try:
            await done
        finally:
            timer.cancel()

    def hold(self) -> None:
        """A handler runs, or a task is on its way to one: time must not be skipped until `release` is called."""
        self._holds += 1

    def release(self) -> None:
        self._holds -= 1
        self.touch()

    def touch(self) -> None:
        """Something happened: what follows from it may take a moment."""

    async def advance(self, seconds: float) -> None:
        """Moves the time, where it is moved by hand."""
        raise NotImplementedError("this clock cannot be moved: make the engine with clock='manual'")


class _TimerQueue(Clock):
    """A clock that keeps its own timers in order."""

    def __init__(self) -> None:
        super().__init__()
        self._timers: list[tuple[float, int, Timer]] = []
        self._numbers = count()

    def call_at(self, when: float, callback: Callable[[], None]) -> Timer:
        timer = Timer(when, callback)
        heapq.heappush(self._timers, (when, next(self._numbers), timer))
        self.touch()
        return timer

    def _next(self) -> float | None:
        """When the next timer is due."""
        while self._timers and self._timers[0][2].callback is None:
            heapq.heappop(self._timers)
        return self._timers[0][0] if self._timers else None

    def _fire_next(self) -> None:
        heapq.heappop(self._timers)[2].fire()


class SkippingClock(_TimerQueue):
    """Real time that jumps to the next timer whenever no handler runs and no task is on its way to one."""

    def __init__(self) -> None:
        super().__init__()
        self._skipped = 0.0
        self._touched = 0.0
        self._wake: asyncio.TimerHandle | None = None

    def now(self) -> float:
        return time.time() + self._skipped

    def go_on(self, since: float) -> None:
        self._skipped = max(self._skipped, since - time.time())

    def touch(self) -> None:
        self._touched = self._loop.time()
        if self._wake is None or self._holds == 0:
            self._schedule(QUIET)

    def _schedule(self, delay: float) -> None:
        if self._wake:
            self._wake.cancel()
        self._wake = self._loop.call_later(delay, self._look)

    def _look(self) -> None:
        self._wake = None
        if (due := self._next()) is None:
            return
        left = due - self.now()
        if left > 0 and self._holds == 0:
            if (quiet := self._loop.time() - self._touched) < QUIET:
                self._schedule(QUIET - quiet)
                return
            self._skipped += left
            left = 0
        if left > 0:
            self._schedule(left)
            return
        self._fire_next()
        self.touch()
        self._schedule(QUIET if self._holds == 0 else 0)


class ManualClock(_TimerQueue):
    """Time that stands still until it is moved."""

    def __init__(self) -> None:
        super().__init__()
        self._now = time.time()
        self._touches = 0

    def now(self) -> float:
        return self._now

    def go_on(self, since: float) -> None:
        self._now = max(self._now, since)

    def touch(self) -> None:
        self._touches += 1
        if (due := self._next()) is not None and due <= self._now:
            self._loop.call_soon(self._fire_due)

    def _fire_due(self) -> None:
        while (due := self._next()) is not None and due <= self._now:
            self._fire_next()

    async def advance(self, seconds: float) -> None:
        """Moves the time by `seconds`: every timer on the way fires at its own time, and what follows happens then."""
        target = self._now + seconds
        await self._settle()
        while (due := self._next()) is not None and due <= target:
            self._now = max(due, self._now)
            self._fire_next()
            await self._settle()
        self._now = max(target, self._now)

    async def _settle(self) -> None:
        """Lets the executions go on until nothing more happens by itself."""
        still, seen = 0, self._touches
        for _ in range(MANY_TURNS):
            await asyncio.sleep(0)
            still = still + 1 if self._touches == seen else 0
            seen = self._touches
            if still >= FEW_TURNS:
                return
