"""A task: what interceptors and handlers see of one activity task, and how it tells them to stop."""

import hashlib
import json
from collections.abc import Callable, Generator
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from enum import StrEnum
from functools import cached_property
from typing import Any, Protocol

import anyio

from workers.envelope import TaskContext
from workers.errors import TaskCancelledError

_NO_CONTEXT = TaskContext()


class CancelReason(StrEnum):
    """Why a handler was told to stop."""

    TASK_CLOSED = "task_closed"
    """Step Functions no longer waits for this task: it timed out, or its execution ended."""
    TIMEOUT = "timeout"
    """The handler ran longer than the activity's `timeout`."""
    SHUTDOWN = "shutdown"
    """The worker is being stopped and its grace is over."""


class Draining:
    """Whether the worker drains: `await task.draining` waits for it, `task.draining.is_set()` asks."""

    def __init__(self) -> None:
        self._event = anyio.Event()

    def is_set(self) -> bool:
        """True from the first signal to stop."""
        return self._event.is_set()

    def set(self) -> None:
        """Starts the drain. Called by the worker, in its event loop."""
        self._event.set()

    async def wait(self) -> None:
        """Waits for the drain to start."""
        await self._event.wait()

    def __await__(self) -> Generator[Any, Any, None]:
        return self._event.wait().__await__()


class TaskRun(Protocol):
    """What a task asks of the worker that runs it. Safe to use from a handler's thread."""

    @property
    def cancel_reason(self) -> CancelReason | None:
        """Why the task was cancelled, or None."""

    @property
    def draining(self) -> Draining:
        """Whether the worker drains."""

    def beat(self) -> None:
        """Asks for a heartbeat now; those that come too close together are left out."""

    def beating(self, interval: float | None) -> AbstractContextManager[None]:
        """Sends a heartbeat every `interval` seconds while it is entered; None: the worker's interval."""

    def retrying(self) -> None:
        """Says that the handler is about to be called again within this task. In the event loop."""


@dataclass(frozen=True, kw_only=True)
class Task:
    """One activity task. Frozen: an interceptor hands on a changed copy made by `replace`."""

    activity: str
    """The name under which the handler is registered."""
    token: str = field(repr=False)
    """The task token. A secret: whoever holds it can finish the task."""
    input: Any = field(repr=False)
    """The decoded JSON input, without its envelope."""
    context: TaskContext | None = field(default=None, repr=False)
    """Where the task comes from, when its definition says so."""
    received: datetime = field(default_factory=lambda: datetime.now(UTC), repr=False)
    """When the poll returned it."""
    run: TaskRun = field(repr=False, compare=False)
    """The worker's side of this task."""
    streams: frozenset[tuple[str, ...]] = field(default=frozenset(), repr=False)
    """The places in the input that the handler takes as a `PayloadStream`: `(key,)`, or () for the whole input."""
    progress: Any = field(default=None, repr=False)
    """What an earlier attempt of this task last gave to `heartbeat(details)`; None without one.

    It needs a payload store and the task's context, and is a help, never a truth: an attempt may have gone further.
    """
    save_progress: Callable[[Any], None] | None = field(default=None, repr=False, compare=False)
    """Keeps the details of `heartbeat` for the next attempt, where there is a payload store."""
    original: "Task | None" = field(default=None, repr=False, compare=False)
    """The task as it was received, where an interceptor has replaced its input."""

    def replace(self, *, input: Any) -> "Task":  # noqa: A002 - the same word as the field's
        """A copy with another input, for the next interceptor or the handler."""
        return replace(self, input=input, original=self.original or self)

    @property
    def execution(self) -> str | None:
        """ARN of the execution, if known."""
        return (self.context or _NO_CONTEXT).execution

    @property
    def state(self) -> str | None:
        """Name of the state, if known."""
        return (self.context or _NO_CONTEXT).state

    @property
    def attempt(self) -> int | None:
        """1 for the state's first try, one more for each retry by Step Functions; None if not known."""
        retry = (self.context or _NO_CONTEXT).retry
        return None if retry is None else retry + 1

    @property
    def queued_seconds(self) -> float | None:
        """Seconds from entering the state until the task was received; None if not known."""
        entered = (self.context or _NO_CONTEXT).entered
        return None if entered is None else max(0.0, (self.received - entered).total_seconds())

    @cached_property
    def idempotency_key(self) -> str | None:
        """The same for every attempt of the same work: a hash of execution, state and the input as received.

        None without a context. Two items of one Map that are equal to the last byte share a key.
        """
        if self.original:
            return self.original.idempotency_key
        if self.execution is None or self.state is None:
            return None
        work = json.dumps([self.execution, self.state, self.input], sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(work.encode()).hexdigest()

    @property
    def cancelled(self) -> bool:
        """Whether the handler should stop. A thread looks here; an async handler is cancelled in its scope."""
        return self.run.cancel_reason is not None

    @property
    def cancel_reason(self) -> CancelReason | None:
        """Why the handler should stop, or None."""
        return self.run.cancel_reason

    @property
    def draining(self) -> Draining:
        """Awaitable: returns when the worker starts to drain, so that a handler can save its work."""
        return self.run.draining

    def check(self) -> None:
        """Raises `TaskCancelledError` when the task has been cancelled. For handlers in threads."""
        if reason := self.run.cancel_reason:
            raise TaskCancelledError(f"the task was cancelled: {reason}")

    def heartbeat(self, details: Any = None) -> None:
        """Sends a heartbeat soon, throttled; raises `TaskCancelledError` when the task has been cancelled.

        `details`, any JSON value, are kept for the next attempt of the same task, which finds them in `progress`.
        Without a payload store, or without a context that names the task, they are dropped.
        """
        self.check()
        if details is not None and self.save_progress:
            self.save_progress(details)
        self.run.beat()


def received_task(**fields: Any) -> Task:
    """A task of these fields, which are those without a default, and others that differ from it.

    For the worker, which makes one for each task: the constructor of a frozen class sets every field by a call.
    """
    task = object.__new__(Task)
    task.__dict__.update(received=datetime.now(UTC), **fields)
    return task
