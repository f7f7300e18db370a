"""The polls of one activity. A slot is taken before a poll, and no poll is ever dropped."""

import random
from collections.abc import Callable
from typing import Protocol

import anyio
import structlog

from interceptors.chain import CallNext
from workers.arns import activity_name
from workers.backoff import Backoff
from workers.stepfunctions.protocol import (
    ActivityMissingError,
    ActivityTask,
    DeniedError,
    ServiceError,
    StepFunctions,
    TransientError,
)
from workers.supervisor.activity import Activity
from workers.supervisor.drain import Drain

log = structlog.get_logger(__name__)

_SAY_EVERY = 5.0
_CREATE_JITTER = 0.25
_CREATE_AGAIN_AFTER = 30.0
"""Seconds: a fresh activity may stay invisible for a while (CreateActivity is eventually consistent)."""


class Started(Protocol):
    """Takes a task that a poll brought, and gives the slot back when the task has been reported."""

    def __call__(self, poller: "Poller", received: ActivityTask) -> None:
        """Starts the run; does not wait for it."""


class Poller:
    """Keeps up to `activity.pollers` polls open while there are slots, until the drain begins."""

    def __init__(
        self,
        activity: Activity,
        chain: CallNext,
        *,
        client: StepFunctions,
        worker_name: str,
        drain: Drain,
        create: bool,
        started: Started,
        missed: Callable[[], None],
    ) -> None:
        self.activity = activity
        self.chain = chain
        self.slots = anyio.Semaphore(activity.concurrency, fast_acquire=True)
        self.missing = False
        """Whether the last poll said that there is no such activity."""
        self._client = client
        self._worker_name = worker_name
        self._drain = drain
        self._create = create
        self._started = started
        self._missed = missed
        self._creating = anyio.Lock()
        self._created = float("-inf")
        self._said: dict[str, float] = {}

    async def run(self) -> None:
        """Polls until the drain has begun and every poll that was open has ended."""
        async with anyio.create_task_group() as loops:
            for number in range(self.activity.pollers):
                loops.start_soon(self._loop, name=f"poller {self.activity.name} {number}")

    async def _loop(self) -> None:
        soon, slow = Backoff(initial=0.2, maximum=5.0), Backoff(initial=2.0, maximum=30.0)
        while await self._take_slot():
            received = None
            try:
                received = await self._client.get_activity_task(self.activity.arn, self._worker_name)
            except ServiceError as error:
                await self._pause(error, soon if self._may_pass(error) else slow)
            else:
                self.missing = False
                if soon.failures or slow.failures:
                    soon.reset()
                    slow.reset()
                    self._recovered()
            finally:
                if received is None:
                    self.slots.release()
            if received is not None:
                self._started(self, received)

    async def _take_slot(self) -> bool:
        """True with a slot in hand; False when the drain has begun."""
        if self._drain.draining.is_set():
            return False
        try:
            self.slots.acquire_nowait()
        except anyio.WouldBlock:
            return await self._wait_for_slot()
        return True

    async def _wait_for_slot(self) -> bool:
        taken = False
        async with anyio.create_task_group() as either:

            async def drained() -> None:
                await self._drain.draining
                either.cancel_scope.cancel()

            either.start_soon(drained)
            await self.slots.acquire()
            taken = True
            either.cancel_scope.cancel()
        if taken and self._drain.draining.is_set():
            self.slots.release()
            return False
        return taken

    def _may_pass(self, error: ServiceError) -> bool:
        """Whether `error` may soon be over by itself. If not, a person must act, and frequent polls help nobody."""
        return isinstance(error, TransientError) or (isinstance(error, ActivityMissingError) and self._create)

    async def _pause(self, error: ServiceError, backoff: Backoff) -> None:
        self.missing = isinstance(error, ActivityMissingError)
        if self.missing and self._create and await self._create_activity():
            return
        delay = backoff.next()
        self._say(error, delay)
        if self.missing and not self._create:
            self._missed()
        with anyio.move_on_after(delay):
            await self._drain.draining

    async def _create_activity(self) -> bool:
        """Creates the activity, once for all its pollers. True when it is worth polling at once."""
        seen = self._created
        async with self._creating:
            if self._created != seen:
                return True
            if anyio.current_time() - self._created < _CREATE_AGAIN_AFTER:
                return False
            await anyio.sleep(random.uniform(0, _CREATE_JITTER))  # noqa: S311 - jitter, not a secret
            try:
                await self._client.create_activity(activity_name(self.activity.arn))
            except ServiceError as error:
                self._say(error, 0.0)
                return False
            self._created = anyio.current_time()
            log.info("activity created", activity=self.activity.name, arn=self.activity.arn)
            return True

    def _recovered(self) -> None:
        if self._said:
            self._said.clear()
            log.info("polling again", activity=self.activity.name)

    def _say(self, error: ServiceError, delay: float) -> None:
        """Logs a failed call, each kind once every few seconds, however many polls fail."""
        now = anyio.current_time()
        if now - self._said.get(error.code, float("-inf")) < _SAY_EVERY:
            return
        self._said[error.code] = now
        event = "Step Functions not reached" if isinstance(error, TransientError) else "poll failed"
        hint = _hint(error, create=self._create)
        log.warning(event, activity=self.activity.name, error=str(error), again_in=round(delay, 2), **hint)


def _hint(error: ServiceError, *, create: bool) -> dict[str, str]:
    if isinstance(error, ActivityMissingError):
        return {} if create else {"hint": "create the activity, or run without --no-create"}
    if isinstance(error, DeniedError):
        return {"hint": "the worker needs states:GetActivityTask on this activity, and valid credentials"}
    return {}
