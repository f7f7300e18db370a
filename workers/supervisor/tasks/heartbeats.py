"""One scheduler for the heartbeats of all running tasks."""

import asyncio
import heapq
import random
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from typing import Protocol

import anyio
import structlog
from anyio.abc import TaskGroup

from workers.metrics import Metrics
from workers.stepfunctions.protocol import ServiceError, StepFunctions, TaskClosedError, ThrottledError, TransientError
from workers.task import CancelReason

log = structlog.get_logger(__name__)

MOST_AT_ONCE = 500
"""Heartbeats that wait for their answers at the same time; others wait for their turn. Reports use the same
connections, which are twice as many: when nothing is answered, a thousand heartbeats must not keep a result waiting."""
_SPREAD = 0.1
"""The share of an interval by which a beat may come early, so that tasks received together do not beat together."""
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


class _Beat:
    __slots__ = ("interval", "run")

    def __init__(self, run: Beating, interval: float) -> None:
        self.run: Beating | None = run
        self.interval = interval  # 0: once


class Heartbeats:
    """Sends each open beat once an interval, from one task and one heap, however many tasks run."""

    def __init__(self, client: StepFunctions, metrics: Metrics, *, at_once: int = MOST_AT_ONCE) -> None:
        self._client = client
        self._metrics = metrics
        self._turns = asyncio.Semaphore(at_once)
        self._due: list[tuple[float, int, _Beat]] = []
        self._ties = count()
        self._earlier = anyio.Event()

    @contextmanager
    def beating(self, run: Beating, interval: float) -> Iterator[None]:
        """Beats for `run` every `interval` seconds while entered; the first time after one interval."""
        beat = _Beat(run, interval)
        self._schedule(beat, interval)
        try:
            yield
        finally:
            beat.run = None  # its entry stays in the heap until it is due: it must not hold the task so long

    def beat(self, run: Beating) -> None:
        """One beat for `run` now."""
        heapq.heappush(self._due, (anyio.current_time(), next(self._ties), _Beat(run, 0.0)))
        self._earlier.set()

    async def run(self) -> None:
        """Sends what is due, for ever."""
        async with anyio.create_task_group() as sends:
            while True:
                await self._wait()
                self._send_due(sends)

    async def _wait(self) -> None:
        self._earlier = anyio.Event()
        delay = self._due[0][0] - anyio.current_time() if self._due else float("inf")
        if delay > 0:
            with anyio.move_on_after(delay):
                await self._earlier.wait()

    def _send_due(self, sends: TaskGroup) -> None:
        now = anyio.current_time()
        while self._due and self._due[0][0] <= now:
            beat = heapq.heappop(self._due)[2]
            if beat.run is not None:
                sends.start_soon(self._send, beat, name="heartbeat")

    async def _send(self, beat: _Beat) -> None:
        run, started = beat.run, anyio.current_time()
        if run is None:
            return
        wait = beat.interval
        try:
            with anyio.move_on_after(max(_LEAST_WAIT, beat.interval)) as patience:
                async with self._turns:
                    await self._client.send_task_heartbeat(run.token)
            if patience.cancelled_caught:  # one that hangs must not take the place of the next ones
                raise TransientError("SendTaskHeartbeat", "NoAnswer", f"within {max(_LEAST_WAIT, beat.interval):g} s")
        except TaskClosedError:
            self._metrics.heartbeat("closed")
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
            self._metrics.heartbeat("accepted")
            run.last_beat = anyio.current_time()
        if beat.run is not None and beat.interval:
            self._schedule(beat, wait - (anyio.current_time() - started))

    def _schedule(self, beat: _Beat, wait: float) -> None:
        early = beat.interval * _SPREAD * random.random()  # noqa: S311 - jitter, not a secret
        due = anyio.current_time() + max(0.0, wait - early)
        heapq.heappush(self._due, (due, next(self._ties), beat))
        if self._due[0][2] is beat:
            self._earlier.set()
