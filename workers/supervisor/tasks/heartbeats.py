"""One scheduler for the heartbeats of all running tasks."""

import asyncio
import heapq
import random
from contextlib import suppress
from itertools import count
from time import monotonic
from typing import Protocol

import structlog

from workers.metrics import HeartbeatOutcome, Metrics
from workers.stepfunctions.protocol import ServiceError, StepFunctions, TaskClosedError, ThrottledError, TransientError
from workers.task import CancelReason

log = structlog.get_logger(__name__)

MOST_AT_ONCE = 500
"""Heartbeats that wait for their answers at the same time; others wait for their turn. Reports use the same
connections, which are twice as many: when nothing is answered, a thousand heartbeats must not keep a result waiting."""
_SPREAD = 0.1
"""The share of an interval by which a beat may come early, so that tasks received together do not beat together."""
_FRESH = 0.5
"""The share of an interval after which a beat comes to the heap, at the latest. Tasks are many and short: the beats of
most are closed before that, and have cost next to nothing."""
_NEVER = float("inf")
_CLOSED_KEPT = 256
"""Closed beats that may stay in the heap, however few are open."""
_LEAST_WAIT = 1.0
"""Seconds that an answer may always take."""
_RETRY_SHARE = 0.2
"""A beat that failed is repeated after this share of its interval: it may be the only one before a timeout."""


class Beating(Protocol):
    """A running task, as the scheduler sees it."""

    token: str
    last_beat: float | None

    @property
    def label(self) -> str:
        """Its name in logs."""

    def cancel(self, reason: CancelReason) -> None:
        """Stops the handler."""


class Beat:
    """Heartbeats of one running task, sent until it is closed; also a context manager that closes itself."""

    __slots__ = ("interval", "opened", "queued", "run", "scheduler")

    def __init__(self, scheduler: "Heartbeats", run: Beating, interval: float, opened: float) -> None:
        self.run: Beating | None = run
        self.interval = interval  # 0: once
        self.opened = opened
        self.queued = False  # whether it stands in the heap of the scheduler
        self.scheduler = scheduler

    def close(self) -> None:
        """Sends no more."""
        if self.run is not None:
            self.run = None
            self.scheduler.forget(self)

    def __enter__(self) -> None:
        """Is open already."""

    def __exit__(self, *_: object) -> None:
        self.close()


class Heartbeats:
    """Sends each open beat once an interval, from one task and one heap, however many tasks run."""

    def __init__(self, client: StepFunctions, metrics: Metrics, *, at_once: int = MOST_AT_ONCE) -> None:
        self._client = client
        self._metrics = metrics
        self._turns = asyncio.Semaphore(at_once)
        self._fresh: set[Beat] = set()  # those that are not in the heap yet
        self._fresh_until = _NEVER
        self._due: list[tuple[float, int, Beat]] = []
        self._closed = 0  # beats in the heap that nobody needs any more
        self._ties = count()
        self._earlier = asyncio.Event()

    def beating(self, run: Beating, interval: float) -> Beat:
        """Beats for `run` every `interval` seconds until that is closed; the first time after one interval."""
        now = monotonic()
        beat = Beat(self, run, interval, now)
        self._fresh.add(beat)
        if (until := now + interval * _FRESH) < self._fresh_until:
            self._fresh_until = until
            self._earlier.set()
        return beat

    def beat(self, run: Beating) -> None:
        """One beat for `run` now."""
        now = monotonic()
        self._push(Beat(self, run, 0.0, now), now)
        self._earlier.set()

    def forget(self, beat: Beat) -> None:
        """Called by a beat that was closed. Closed beats must not pile up in the heap until they are due."""
        if not beat.queued:
            self._fresh.discard(beat)
            return
        self._closed += 1
        if self._closed > _CLOSED_KEPT and self._closed > len(self._due) / 2:
            self._due = [entry for entry in self._due if entry[2].run is not None]
            heapq.heapify(self._due)
            self._closed = 0

    async def run(self) -> None:
        """Sends what is due, for ever."""
        async with asyncio.TaskGroup() as sends:
            while True:
                await self._wait()
                self._send_due(sends)

    async def _wait(self) -> None:
        self._earlier.clear()
        until = min(self._fresh_until, self._due[0][0] if self._due else _NEVER)
        delay = None if until == _NEVER else until - monotonic()
        if delay is None or delay > 0:
            with suppress(TimeoutError):
                async with asyncio.timeout(delay):
                    await self._earlier.wait()
        if monotonic() >= self._fresh_until:
            self._queue_fresh()

    def _queue_fresh(self) -> None:
        fresh, self._fresh, self._fresh_until = self._fresh, set(), _NEVER
        now = monotonic()
        for beat in fresh:
            self._schedule(beat, beat.opened + beat.interval - now)

    def _send_due(self, sends: asyncio.TaskGroup) -> None:
        now = monotonic()
        while self._due and self._due[0][0] <= now:
            beat = heapq.heappop(self._due)[2]
            beat.queued = False
            if beat.run is None:
                self._closed -= 1
            else:
                sends.create_task(self._send(beat), name="heartbeat")

    async def _send(self, beat: Beat) -> None:
        run, started = beat.run, monotonic()
        if run is None:
            return
        wait = beat.interval
        try:
            await self._sent(run.token, max(_LEAST_WAIT, beat.interval))
        except TaskClosedError:
            self._metrics.heartbeat(HeartbeatOutcome.CLOSED)
            beat.run = None
            run.cancel(CancelReason.TASK_CLOSED)
            return
        except ServiceError as error:
            self._metrics.heartbeat(error.code)
            if isinstance(error, ThrottledError):
                self._metrics.throttled(error.operation)
            wait *= _RETRY_SHARE
            log.warning("heartbeat failed", task=run.label, error=error.code)
        else:
            self._metrics.heartbeat(HeartbeatOutcome.ACCEPTED)
            run.last_beat = monotonic()
        if beat.run is not None and beat.interval:
            self._schedule(beat, wait - (monotonic() - started))

    async def _sent(self, token: str, patience: float) -> None:
        """One that hangs must not take the place of the next ones."""
        try:
            async with asyncio.timeout(patience), self._turns:
                await self._client.send_task_heartbeat(token)
        except TimeoutError:
            raise TransientError("SendTaskHeartbeat", "NoAnswer", f"within {patience:g} s") from None

    def _schedule(self, beat: Beat, wait: float) -> None:
        early = beat.interval * _SPREAD * random.random()  # noqa: S311 - jitter, not a secret
        self._push(beat, monotonic() + max(0.0, wait - early))
        if self._due[0][2] is beat:
            self._earlier.set()

    def _push(self, beat: Beat, due: float) -> None:
        beat.queued = True
        heapq.heappush(self._due, (due, next(self._ties), beat))
