"""Trying a handler again inside the worker, before Step Functions hears of a failure."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import anyio
import stamina

from interceptors.chain import CallNext
from workers.errors import PausePolling, RegistrationError, TaskCancelledError
from workers.task import Task

Wanted = type[Exception] | tuple[type[Exception], ...] | Callable[[Exception], bool]

_FINAL = (TaskCancelledError, PausePolling)


class Retry:
    """Calls the rest of the chain again when it raises one of `on`: for faults that pass within seconds.

    `on`: an exception class, several, or a function that is given the exception. `attempts`: in all. `timeout`:
    seconds after which no further attempt begins. The wait before the second attempt is `wait_initial` seconds, before
    each further one `wait_exp_base` times as long, at most `wait_max`, plus at most `wait_jitter` of chance. An
    exception whose `retry_after` is a number of seconds (or a timedelta) sets the wait itself, unless `timeout` would
    be over by then; one whose `retryable` is False is not retried. When nothing is left the last exception is raised.

    Each retry is logged and counted. Heartbeats go on meanwhile; a cancelled task is not tried again. Retries that
    take minutes, or that must survive this worker, belong into the state machine's `Retry`.
    """

    def __init__(
        self,
        *,
        on: Wanted,
        attempts: int = 3,
        timeout: float | None = None,
        wait_initial: float = 0.1,
        wait_max: float = 5.0,
        wait_jitter: float = 1.0,
        wait_exp_base: float = 2.0,
    ) -> None:
        if attempts < 1:
            raise RegistrationError(f"Retry: attempts is {attempts}, it must be 1 or more")
        times = {"timeout": timeout, "wait_initial": wait_initial, "wait_max": wait_max, "wait_jitter": wait_jitter}
        for name, value in times.items():
            if value is not None and not value >= 0:
                raise RegistrationError(f"Retry: {name} is {value!r}, it must be 0 seconds or more")
        self._wanted = _predicate(on)
        self._timeout = timeout
        self._attempts = attempts
        self._waits: dict[str, Any] = {
            "wait_initial": wait_initial,
            "wait_max": wait_max,
            "wait_jitter": wait_jitter,
            "wait_exp_base": wait_exp_base,
        }

    async def __call__(self, task: Task, call_next: CallNext, /) -> Any:
        """Calls on, again and again if need be."""
        ends = float("inf") if self._timeout is None else anyio.current_time() + self._timeout

        def decide(error: Exception) -> bool | float:
            if isinstance(error, _FINAL) or not getattr(error, "retryable", True) or not self._wanted(error):
                return False
            if (wait := _retry_after(error)) is None:
                return anyio.current_time() < ends
            return wait if anyio.current_time() + wait < ends else False

        async for attempt in stamina.retry_context(on=decide, attempts=self._attempts, timeout=None, **self._waits):
            with attempt:
                if attempt.num > 1:
                    task.run.retrying()
                return await call_next(task)
        raise AssertionError("stamina ends with a result or an exception")


def _predicate(on: Wanted) -> Callable[[Exception], bool]:
    kinds = on if isinstance(on, tuple) else (on,)
    if all(isinstance(kind, type) and issubclass(kind, BaseException) for kind in kinds):
        return lambda error: isinstance(error, kinds)  # type: ignore[arg-type]  # only classes, as was just checked
    if callable(on) and not isinstance(on, type):
        return on
    raise RegistrationError(f"Retry: on is {on!r}, it must be exception classes or a function")


def _retry_after(error: Exception) -> float | None:
    wait = getattr(error, "retry_after", None)
    if isinstance(wait, timedelta):
        wait = wait.total_seconds()
    return max(0.0, float(wait)) if isinstance(wait, (int, float)) and not isinstance(wait, bool) else None
