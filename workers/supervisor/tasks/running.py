"""A task while it runs: what its handler may ask of the worker, and what may stop it."""

import asyncio
import hashlib
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from functools import cache
from time import monotonic

import anyio

from workers.supervisor.activity import Activity
from workers.supervisor.drain import Drain
from workers.supervisor.invocation.processes import Lease, Process
from workers.supervisor.invocation.threads import ThreadCall
from workers.supervisor.tasks.heartbeats import Beat, Heartbeats
from workers.task import CancelReason, Draining, Task

_BEATS_APART = 1.0
"""Seconds at least between the heartbeats that a handler asks for itself."""
_BEATS_ON = nullcontext()


class RunningTask:
    """The worker's side of a `Task`; made for each token that a poll brings."""

    # What most tasks never change stands here: one is made for each token, and most live for a millisecond.
    handled: float | None = None
    """When its chain ended; the report comes after that."""
    failing: anyio.Event | None = None
    """There when its task is failed while its handler still runs; set once that has been reported, or given up."""
    failed = False
    """Whether that report has been taken, or is not wanted any more."""
    task: Task | None = None
    """The task as handlers see it, once its input has been read."""
    thread: ThreadCall | None = None
    """The thread in which its handler was started last, also one that a timeout has given up."""
    lease: Lease | None = None
    """The process that such a thread watches over."""
    last_beat: float | None = None
    """When a heartbeat was last accepted."""
    retries = 0
    """How often an interceptor has called the handler again."""
    succeeded = False
    """Whether there is a result to report."""
    error: BaseException | None = None
    """What the handler raised, unless it was cancelled."""
    _asked = float("-inf")
    _beat: Beat | None = None
    _reason: CancelReason | None = None

    def __init__(
        self,
        activity: Activity,
        token: str,
        heartbeats: Heartbeats,
        drain: Drain,
        worked_on: asyncio.Task[None],
    ) -> None:
        self.activity = activity
        self.token = token
        self.label = hashlib.sha256(token.encode()).hexdigest()[:10]
        """Names the task in logs: a short hash, because the token itself is a secret."""
        self.started = monotonic()
        self.scope = _kind_of_scope()()
        self.worked_on = worked_on
        """The event loop's task that runs it."""
        self._heartbeats = heartbeats
        self._drain = drain

    @property
    def cancel_reason(self) -> CancelReason | None:
        """See `TaskRun`."""
        return self._reason

    @property
    def ended(self) -> bool:
        """Whether its handler has ended."""
        return self.handled is not None

    @property
    def thread_id(self) -> int | None:
        """Identifier of the thread that works on it now."""
        return self.thread.ident if self.thread and not self.thread.done else None

    @property
    def process(self) -> Process | None:
        """The process that works on it now."""
        return self.lease.process if self.lease and self.thread_id else None

    @property
    def draining(self) -> Draining:
        """See `TaskRun`."""
        return self._drain.draining

    def cancel(self, reason: CancelReason) -> None:
        """Stops the handler; the first reason stays. Called in the event loop."""
        if self._reason is None:
            self._reason = reason
            self.scope.cancel()

    def beat(self) -> None:
        """See `TaskRun`."""
        self.worked_on.get_loop().call_soon_threadsafe(self._beat_soon)

    def beating(self, interval: float | None) -> AbstractContextManager[None]:
        """See `TaskRun`."""
        self.stop_beating()
        if interval := self.activity.heartbeat if interval is None else interval:
            self._beat = self._heartbeats.beating(self, interval)
        return _BEATS_ON

    def stop_beating(self) -> None:
        """Its report was taken. Until then it beats: a result on its way is lost when the task times out before."""
        if self._beat:
            self._beat.close()
            self._beat = None

    def retrying(self) -> None:
        """See `TaskRun`."""
        self.retries += 1

    def _beat_soon(self) -> None:
        now = monotonic()
        if now - max(self._asked, self.last_beat or 0.0) >= _BEATS_APART:
            self._asked = now
            self._heartbeats.beat(self)

    def after_thread(self, done: Callable[[], None]) -> None:
        """Calls `done()` in the event loop once no thread works on this task any more; now, if none does."""
        if self.thread is None or self.thread.done:
            done()
        else:
            self.thread.when_done(lambda: self.after_thread(done))


@cache
def _kind_of_scope() -> type[anyio.CancelScope]:
    """What anyio makes scopes of. It finds out for each anew, which takes longer than to make one."""
    return type(anyio.CancelScope())
