"""Task tokens: what a running task hears from its worker.

The interpreter waits for a task in a thread of the execution; workers speak to it through the API. A task is
closed by the first of: a result, a failure, a missed deadline, the end of its execution. Whoever comes later is
told TaskTimedOut, as AWS tells it.
"""

import threading
import time
import uuid
from collections import defaultdict
from dataclasses import dataclass
from typing import Protocol

from workers.local.errors import invalid_token, task_does_not_exist, task_timed_out


@dataclass(frozen=True, slots=True)
class Success:
    """SendTaskSuccess: `output` is JSON text."""

    output: str


@dataclass(frozen=True, slots=True)
class Failure:
    """SendTaskFailure; both parts may be missing."""

    error: str | None
    cause: str | None


@dataclass(frozen=True, slots=True)
class TimedOut:
    """The task was not reported in time: `missed` is "timeout" or "heartbeat"."""

    missed: str


Report = Success | Failure
Outcome = Success | Failure | TimedOut


class Token(Protocol):
    """What the API can say to a task. Each raises `ApiError` TaskTimedOut when the task is closed."""

    def report(self, report: Report) -> None: ...

    def beat(self) -> None: ...

    def close(self) -> None:
        """Ends the wait for the task: its execution, its branch or its state is over."""


class ActivityTask:
    """A task of an activity, from the moment its state is entered.

    `input` is JSON text. Safe to use from any thread.
    """

    def __init__(self, token: str, task_input: str) -> None:
        self.token = token
        self.input = task_input
        self.worker_name: str | None = None
        self._changed = threading.Condition()
        self._started: float | None = None
        self._beaten = 0.0
        self._report: Report | None = None
        self._closed = False

    def start(self, worker_name: str | None) -> bool:
        """Gives the task to a worker. False when nobody waits for its result any more."""
        with self._changed:
            if self._closed:
                return False
            self.worker_name = worker_name
            self._started = self._beaten = time.monotonic()
            self._changed.notify_all()
            return True

    def report(self, report: Report) -> None:
        with self._changed:
            self._check_open()
            self._report = report
            self._changed.notify_all()

    def beat(self) -> None:
        with self._changed:
            self._check_open()
            self._beaten = time.monotonic()

    def close(self) -> None:
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def wait_for_start(self) -> bool:
        """Waits until a worker has the task. False when it is closed first: no worker will get it then."""
        with self._changed:
            self._changed.wait_for(lambda: self._closed or self._started is not None)
            return self._started is not None

    def wait_for_outcome(self, *, timeout: float | None, heartbeat: float | None) -> Outcome | None:
        """Waits for the report of a started task, at most `timeout` seconds from its start and `heartbeat` seconds
        from its start or last beat. None when the task is closed before any of these.
        """
        with self._changed:
            while self._report is None and not self._closed:
                missed, left = self._next_deadline(timeout, heartbeat)
                if left is not None and left <= 0:
                    self._closed = True
                    return TimedOut(missed)
                self._changed.wait(left)
            self._closed = True
            report, self._report = self._report, None  # a token outlives its task: it need not hold the output
            return report

    def _next_deadline(self, timeout: float | None, heartbeat: float | None) -> tuple[str, float | None]:
        now, started = time.monotonic(), self._started or 0.0
        deadlines = []
        if timeout is not None:
            deadlines.append((started + timeout - now, "timeout"))
        if heartbeat is not None:
            deadlines.append((self._beaten + heartbeat - now, "heartbeat"))
        left, missed = min(deadlines, default=(None, ""))
        return missed, left

    def _check_open(self) -> None:
        if self._closed or self._report is not None:
            raise task_timed_out()


class Tokens:
    """The tokens of all executions that are remembered. Tokens are added from any thread."""

    def __init__(self) -> None:
        self._tasks: dict[str, Token | None] = {}  # None: the execution has ended
        self._of_execution: defaultdict[str, list[str]] = defaultdict(list)

    def add(self, token: str, task: Token, *, execution: str) -> None:
        self._tasks[token] = task
        self._of_execution[execution].append(token)

    def get(self, token: str) -> Token:
        """The task of `token`. Raises `ApiError`: InvalidToken for what was never a token, TaskDoesNotExist for one
        that is not remembered, TaskTimedOut for one whose execution has ended.
        """
        if token not in self._tasks:
            raise task_does_not_exist() if _is_well_formed(token) else invalid_token()
        if (task := self._tasks[token]) is None:
            raise task_timed_out()
        return task

    def close(self, execution: str) -> None:
        """Closes all tasks of an execution, and lets go of them."""
        for token in self._of_execution.get(execution, ()):
            if task := self._tasks[token]:
                task.close()
                self._tasks[token] = None

    def forget(self, execution: str) -> None:
        """Forgets the tokens of an execution."""
        for token in self._of_execution.pop(execution, ()):
            del self._tasks[token]


def _is_well_formed(token: str) -> bool:
    try:
        return str(uuid.UUID(token)) == token
    except ValueError:
        return False
