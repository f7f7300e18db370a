"""A limit on how long one attempt of a handler may take."""

from contextlib import AbstractContextManager
from dataclasses import replace
from typing import Any

import anyio

from interceptors.chain import CallNext
from workers.errors import ErrorName, RegistrationError, WorkersError
from workers.task import CancelReason, Draining, Task, TaskRun


class HandlerTimeoutError(WorkersError):
    """A handler ran longer than its `timeout`."""

    error_name = ErrorName.HANDLER_TIMEOUT


class Timeout:
    """Cancels the rest of the chain after `seconds` and raises `HandlerTimeoutError`.

    It bounds one attempt: inside a `Retry`, each attempt has the whole time. An async handler is cancelled where it
    awaits; a handler in a thread sees `task.cancelled` with the reason `timeout`.
    """

    def __init__(self, seconds: float) -> None:
        if not 0 < seconds < float("inf"):
            raise RegistrationError(f"Timeout: it is {seconds!r}, it must be more than 0 seconds")
        self.seconds = seconds

    async def __call__(self, task: Task, call_next: CallNext, /) -> Any:
        """Calls on, for as long as the time lasts."""
        with anyio.move_on_after(self.seconds) as scope:
            return await call_next(replace(task, run=_TimedRun(task.run, scope)))
        raise HandlerTimeoutError(f"activity {task.activity} took longer than its timeout, {self.seconds:g} s")


class _TimedRun:
    """A task's run as it looks within a timeout."""

    def __init__(self, run: TaskRun, scope: anyio.CancelScope) -> None:
        self._run = run
        self._scope = scope

    @property
    def cancel_reason(self) -> CancelReason | None:
        """See `TaskRun`."""
        return self._run.cancel_reason or (CancelReason.TIMEOUT if self._scope.cancel_called else None)

    @property
    def draining(self) -> Draining:
        """See `TaskRun`."""
        return self._run.draining

    def beat(self) -> None:
        """See `TaskRun`."""
        self._run.beat()

    def beating(self, interval: float | None) -> AbstractContextManager[None]:
        """See `TaskRun`."""
        return self._run.beating(interval)

    def retrying(self) -> None:
        """See `TaskRun`."""
        self._run.retrying()
