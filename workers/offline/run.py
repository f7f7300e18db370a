"""The worker's side of a task that no worker has got."""

import asyncio
import uuid
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import anyio

from workers.supervisor.invocation.processes import Lease
from workers.supervisor.invocation.threads import ThreadCall
from workers.task import CancelReason, Draining


@dataclass(frozen=True, slots=True)
class Beat:
    """A heartbeat that would have been sent."""

    details: Any = None
    """What the handler gave to `task.heartbeat(details)`."""
    at: datetime = field(default_factory=lambda: datetime.now(UTC), compare=False)


class OfflineRun:
    """Takes notes instead of calling Step Functions; a `TaskRun`. Made in the event loop."""

    def __init__(self, draining: Draining, interval: float, beaten: Callable[[Beat], None]) -> None:
        self.token = f"offline-{uuid.uuid4()}"
        """What stands for the task token."""
        self.scope = anyio.CancelScope()
        self.thread: ThreadCall | None = None
        """The thread in which the handler runs."""
        self.lease: Lease | None = None
        """Its process, if it has one."""
        self.retries = 0
        """How often an interceptor has called the handler again."""
        self._draining = draining
        self._interval = interval
        self._beaten = beaten
        self._details: Any = None
        self._reason: CancelReason | None = None
        self._loop = asyncio.get_running_loop()

    @property
    def cancel_reason(self) -> CancelReason | None:
        """See `TaskRun`."""
        return self._reason

    @property
    def draining(self) -> Draining:
        """See `TaskRun`."""
        return self._draining

    def cancel(self, reason: CancelReason) -> None:
        """Stops the handler; the first reason stays."""
        if self._reason is None:
            self._reason = reason
            self.scope.cancel()

    def details(self, details: Any) -> None:
        """What the next beat says."""
        self._details = details

    def beat(self) -> None:
        """See `TaskRun`."""
        details, self._details = self._details, None
        self._loop.call_soon_threadsafe(self._beaten, Beat(details))

    def beating(self, interval: float | None) -> AbstractContextManager[None]:
        """See `TaskRun`."""
        seconds = self._interval if interval is None else interval
        return self._beats(seconds) if seconds else nullcontext()

    def retrying(self) -> None:
        """See `TaskRun`."""
        self.retries += 1

    @contextmanager
    def _beats(self, seconds: float) -> Iterator[None]:
        beats = asyncio.create_task(self._beat_every(seconds), name="heartbeats")
        try:
            yield
        finally:
            beats.cancel()

    async def _beat_every(self, seconds: float) -> None:
        while True:
            await asyncio.sleep(seconds)
            self._beaten(Beat())
