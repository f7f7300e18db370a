"""Heartbeats while a handler runs."""

from typing import Any

from interceptors.chain import CallNext
from workers.errors import RegistrationError
from workers.task import Task


class Heartbeat:
    """Sends a heartbeat every `interval` seconds for as long as the rest of the chain runs.

    `interval` in seconds; None takes the worker's `--heartbeat`, 0 sends none. The first beat comes after one
    interval. Choose at most a third of the state's `HeartbeatSeconds`, so that one lost beat harms nothing.
    When Step Functions answers that the task is closed, the worker cancels the handler.
    """

    def __init__(self, interval: float | None = None) -> None:
        if interval is not None and not 0 <= interval < float("inf"):
            raise RegistrationError(f"Heartbeat: interval is {interval!r}, it must be 0 seconds or more")
        self.interval = interval

    async def __call__(self, task: Task, call_next: CallNext, /) -> Any:
        """Opens a beat, calls on, closes the beat."""
        with task.run.beating(self.interval):
            return await call_next(task)
