"""Sees from a thread of its own whether the event loop is blocked, and by which line."""

import asyncio
import queue
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Self

import anyio.to_thread
import structlog

from workers.metrics import Metrics
from workers.supervisor.outside.snapshot import as_logged, log_snapshot
from workers.supervisor.outside.stacks import stack_of_thread
from workers.supervisor.outside.status import Status

log = structlog.get_logger(__name__)

_TICKS = 4
"""Signs of life that the event loop gives in the time that it may be blocked."""


class Watchdog:
    """Watches the event loop that enters it.

    A handler that computes or sleeps in the event loop starves polls, heartbeats and reports of all tasks. When
    nothing else could run for `patience` seconds, the stack of the line at fault is logged, once for each block.
    The event loop gives a sign of life four times in that time; the watching thread wakes only when one is overdue.
    """

    def __init__(self, status: Callable[[], Status], metrics: Metrics, *, patience: float = 1.0) -> None:
        self._status = status
        self._metrics = metrics
        self._patience = patience
        self._tick = patience / _TICKS
        self._barked_at = 0.0  # the last sign of life before the block that was logged
        self._orders: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._watch, name="watchdog", daemon=True)

    async def __aenter__(self) -> Self:
        self._loop = asyncio.get_running_loop()
        self._watched = threading.current_thread()
        self._seen = time.monotonic()
        self._timer = self._loop.call_later(self._tick, self._sign_of_life)
        self._thread.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        self._timer.cancel()
        self._orders.put(None)
        with anyio.CancelScope(shield=True):
            await anyio.to_thread.run_sync(self._thread.join)

    @property
    def loop_thread(self) -> int:
        """The identifier of the event loop's thread."""
        return self._watched.ident or 0

    @property
    def blocked(self) -> float:
        """Seconds since the event loop's last sign of life; infinite when its thread has ended."""
        if not self._watched.is_alive() or self._loop.is_closed():
            return float("inf")
        return time.monotonic() - self._seen

    def ask_for_snapshot(self) -> None:
        """Logs what the worker is doing, from the watching thread. Safe in a signal handler."""
        self._orders.put(lambda: log_snapshot(self._status(), self.loop_thread))

    def _sign_of_life(self) -> None:
        now = time.monotonic()
        since, self._seen = now - self._seen, now
        self._timer = self._loop.call_later(self._tick, self._sign_of_life)
        self._metrics.loop_lag(max(0.0, since - self._tick))
        if since > self._patience:
            log.warning("event loop free again", seconds=round(since, 3))

    def _watch(self) -> None:
        while (order := self._next_order()) is not None:
            try:
                order()
            except Exception:
                log.exception("watchdog failed")

    def _next_order(self) -> Callable[[], None] | None:
        now, seen = time.monotonic(), self._seen
        wake = max(now, (now if seen == self._barked_at else seen) + self._patience)
        try:
            return self._orders.get(timeout=max(0.001, wake - now))
        except queue.Empty:
            # Who wakes far too late was stopped together with the event loop: by SIGSTOP, or a sleeping machine.
            return self._look if time.monotonic() - wake < self._patience else _nothing

    def _look(self) -> None:
        seen = self._seen
        if self._patience <= self.blocked < float("inf") and seen != self._barked_at:
            self._barked_at = seen
            self._bark()

    def _bark(self) -> None:
        stack = stack_of_thread(self.loop_thread)
        guilty = stack[-1] if stack else None
        seconds = round(self.blocked, 3)
        log.warning("event loop blocked", seconds=seconds, line=guilty, stack=as_logged(stack), **self._culprit())

    def _culprit(self) -> dict[str, Any]:
        """The ids of the task that has the event loop now, where it is one of ours."""
        current = asyncio.current_task(self._loop)
        for run in self._status().running:
            if current is not None and run.worked_on is current:
                return {"activity": run.activity.name, "task": run.label}
        return {}


def _nothing() -> None:
    """Looks another time."""


@contextmanager
def snapshot_on_sigusr1(watchdog: Watchdog) -> Iterator[None]:
    """SIGUSR1 logs a snapshot while entered. Only in the main thread.

    A handler of Python's own, not the event loop's: it must also work while the event loop is blocked.
    """
    before = signal.signal(signal.SIGUSR1, lambda *_: watchdog.ask_for_snapshot())
    try:
        yield
    finally:
        signal.signal(signal.SIGUSR1, before)
