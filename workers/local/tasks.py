"""Tasks in flight: what a task hears from its worker, and when its time is up.

A task is closed by the first of: a result, a failure, a missed deadline, the end of its state. Whoever comes later is
told TaskTimedOut, as AWS tells it.
"""

import asyncio
import secrets
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from workers.local.clock import Clock, Timer
from workers.local.errors import invalid_token, task_does_not_exist, task_timed_out
from workers.local.frames import Progress


@dataclass(frozen=True, slots=True)
class Success:
    """The task's result as JSON text."""

    output: str


@dataclass(frozen=True, slots=True)
class Failure:
    """The task failed; both parts may be missing."""

    error: str | None
    cause: str | None


@dataclass(frozen=True, slots=True)
class TimedOut:
    """The task was not reported in time."""

    missed: Literal["timeout", "heartbeat"]


Outcome = Success | Failure | TimedOut


class Attempt:
    """One attempt at a task. Its `progress` is part of a frame: what is needed to go on after a restart.

    `on_start(worker)` and `on_end(outcome)` are called once each, before anybody is told; they write the history.
    `holds`: somebody works on it, so that time must not be skipped.
    """

    __slots__ = (
        "_clock",
        "_closed",
        "_ended",
        "_held",
        "_holds",
        "_on_end",
        "_on_start",
        "_progress",
        "_timer",
        "input",
        "token",
    )

    def __init__(
        self,
        progress: Progress,
        clock: Clock,
        *,
        on_start: Callable[[str | None], None],
        on_end: Callable[[Outcome], None],
        holds: bool = True,
    ) -> None:
        self.token: str = progress["token"]
        self.input: str = progress.get("input", "")
        self._progress = progress
        self._clock = clock
        self._on_start = on_start
        self._on_end = on_end
        self._timer: Timer | None = None
        self._ended: asyncio.Future[Outcome] | None = None
        self._holds = holds
        self._held = False
        self._closed = False
        if progress.get("outcome") is not None:
            self._closed = True
        elif self.started:
            progress["beaten"] = clock.now()  # nobody could beat while the engine was down
            self._run()

    @property
    def started(self) -> bool:
        return self._progress.get("started") is not None

    def start(self, worker: str | None = None) -> bool:
        """Gives the task to a worker. False when nobody waits for its result any more."""
        if self._closed:
            return False
        self._progress["started"] = self._progress["beaten"] = self._clock.now()
        self._on_start(worker)
        self._run()
        return True

    async def outcome(self) -> Outcome:
        """How it ends; its deadlines are counted from its start."""
        if (known := self._progress.get("outcome")) is not None:
            return _loaded(known)
        self._ended = asyncio.get_running_loop().create_future()
        return await self._ended

    def report(self, outcome: Outcome) -> None:
        """Raises `ApiError` TaskTimedOut when the task is closed."""
        if self._closed:
            raise task_timed_out()
        self._settle(outcome)

    def beat(self) -> None:
        """Raises `ApiError` TaskTimedOut when the task is closed."""
        if self._closed:
            raise task_timed_out()
        self._progress["beaten"] = self._clock.now()

    def close(self) -> None:
        """Its state is over: no report will be taken. May be called at any time."""
        self._closed = True
        if self._timer:
            self._timer.cancel()
        if self._held:
            self._held = False
            self._clock.release()

    def _settle(self, outcome: Outcome) -> None:
        self.close()
        self._progress["outcome"] = _dumped(outcome)
        self._on_end(outcome)
        if self._ended and not self._ended.done():
            self._ended.set_result(outcome)

    def _run(self) -> None:
        if self._holds:
            self._held = True
            self._clock.hold()
        self._watch()

    def _watch(self) -> None:
        """Looks at the deadlines now, and again when the next one may have passed: beats move it."""
        progress, now = self._progress, self._clock.now()
        deadlines: list[tuple[float, Literal["timeout", "heartbeat"]]] = []
        if (timeout := progress.get("timeout")) is not None:
            deadlines.append((progress["started"] + timeout, "timeout"))
        if (heartbeat := progress.get("heartbeat")) is not None:
            deadlines.append((progress["beaten"] + heartbeat, "heartbeat"))
        if not deadlines:
            return
        due, missed = min(deadlines)
        if due <= now:
            self._settle(TimedOut(missed))
        else:
            self._timer = self._clock.call_at(due, self._watch)


def _dumped(outcome: Outcome) -> list[str | None]:
    match outcome:
        case Success(output):
            return ["success", output]
        case Failure(error, cause):
            return ["failure", error, cause]
        case TimedOut(missed):
            return ["timed out", missed]


def _loaded(dumped: list[Any]) -> Outcome:
    match dumped:
        case ["success", output]:
            return Success(output)
        case ["failure", error, cause]:
            return Failure(error, cause)
    return TimedOut(dumped[1])


def new_token(execution: int) -> str:
    """A token of a task of the execution with that number, which can be read from it again."""
    return str(uuid.UUID(bytes=execution.to_bytes(6, "big") + secrets.token_bytes(10)))


class Tokens:
    """The tokens of tasks that can be reported. `knows` tells whether the execution of a number is remembered."""

    def __init__(self, knows: Callable[[int], bool]) -> None:
        self._open: dict[str, Attempt] = {}
        self._knows = knows

    def add(self, attempt: Attempt) -> None:
        self._open[attempt.token] = attempt

    def discard(self, token: str) -> None:
        self._open.pop(token, None)

    def get(self, token: str) -> Attempt:
        """The task of `token`. Raises `ApiError`: InvalidToken for what was never a token, TaskDoesNotExist for one
        that is not remembered, TaskTimedOut for one of a task that is closed.
        """
        if attempt := self._open.get(token):
            return attempt
        try:
            number = uuid.UUID(token)
        except ValueError:
            raise invalid_token() from None
        if str(number) != token:
            raise invalid_token()
        if self._knows(int.from_bytes(number.bytes[:6], "big")):
            raise task_timed_out()
        raise task_does_not_exist()
