"""The polls of one activity. A slot is taken before a poll, and no poll is ever dropped.

A poll that brings a task becomes its run, and another poll takes its place. So a task costs the event loop one task of
its own, begins in the turn in which it came, and is reported before more is asked for: while there is more than can be
done, what is held is not kept waiting by what is not.
"""

import asyncio
from collections.abc import Callable, Coroutine
from itertools import count
from time import monotonic
from typing import Any, Protocol

import anyio
import structlog

from interceptors.chain import CallNext
from workers.backoff import Backoff
from workers.metrics import Metrics, PollOutcome
from workers.stepfunctions.protocol import (
    ActivityMissingError,
    ActivityTask,
    DeniedError,
    ServiceError,
    StepFunctions,
    ThrottledError,
    TransientError,
)
from workers.supervisor.activity import Activity
from workers.supervisor.drain import Drain
from workers.supervisor.polling.brake import Brake
from workers.supervisor.polling.creation import AGAIN_AFTER, Creation
from workers.supervisor.polling.scale import Scale
from workers.supervisor.polling.slots import Slots

log = structlog.get_logger(__name__)

_SAY_EVERY = 5.0
_LEAST_HOLD = 0.1
"""Seconds between polls that bring nothing, if whatever answers does not hold them as Step Functions does."""


class Started(Protocol):
    """Takes a task that a poll brought."""

    def __call__(
        self, poller: "Poller", received: ActivityTask, worked_on: asyncio.Task[None]
    ) -> Coroutine[Any, Any, None]:
        """The run of the task, which `worked_on` awaits; gives the slot back when the task has been reported."""


class Tasks(Protocol):
    """Runs coroutines as tasks of the event loop: a task group."""

    def create_task(self, run: Coroutine[Any, Any, None], /, *, name: str) -> asyncio.Task[None]:
        """Starts one."""


class Poller:
    """Keeps as many polls open as `scale` says and slots allow, until the drain begins."""

    def __init__(
        self,
        activity: Activity,
        chain: CallNext,
        *,
        slots: Slots,
        client: StepFunctions,
        metrics: Metrics,
        worker_name: str,
        drain: Drain,
        create: bool,
        tasks: Tasks,
        started: Started,
        troubled: Callable[[], None],
    ) -> None:
        self.activity = activity
        self.chain = chain
        self.slots = slots
        self.scale = Scale(least=activity.min_pollers, most=activity.pollers, initial=activity.initial_pollers)
        self.brake = Brake(
            activity.name, rate=activity.rate, breaker=activity.breaker, breaker_pause=activity.breaker_pause
        )
        self.trouble: ServiceError | None = None
        """What the last poll ran into, if only a person can mend it: no such activity, or access denied."""
        self.has_polled = False
        """Whether a poll has ever worked."""
        self.open = 0
        """Polls that are open now."""
        self._client = client
        self._metrics = metrics
        self._counts = metrics.activity(activity.name)
        self._counts.watch(slots=lambda: slots.limit, slots_used=lambda: slots.used, pollers_open=lambda: self.open)
        self._worker_name = worker_name
        self._drain = drain
        self._creation = Creation(activity, client) if create else None
        self._tasks = tasks
        self._started = started
        self._troubled = troubled
        self._names = f"poller {activity.name}", f"task {activity.name}"
        self._polling: dict[int, asyncio.Task[None]] = {}
        self._numbers = count()
        self._fault: Exception | None = None
        self._ended = asyncio.Event()
        self._said: dict[str, float] = {}

    async def run(self) -> None:
        """Polls until the drain has begun and every poll that was open has ended; what they brought may run on.

        Raises what breaks a poll, and drops the others then, as when it is cancelled.
        """
        async with anyio.create_task_group() as side:
            side.start_soon(self._wake_for_drain, name=f"pollers {self.activity.name} wait for the drain")
            self._fill()
            if not self._polling:  # the drain began before
                self._ended.set()
            try:
                await self._ended.wait()
            finally:
                for polling in self._polling.values():
                    polling.cancel()
            side.cancel_scope.cancel()
        if self._fault:
            raise self._fault

    def _fill(self) -> None:
        while len(self._polling) < self.scale.target and self._drain.polls:
            number = next(self._numbers)
            self._polling[number] = self._tasks.create_task(self._loop(number), name=self._names[0])

    async def _loop(self, number: int) -> None:
        """Polls until one brings a task, and runs that, while another loop takes its place."""
        received = None
        try:
            received = await self._next()
        except Exception as error:  # noqa: BLE001 - raised in `run`
            self._fault = error
            self._ended.set()
        task = self._polling.pop(number)
        run = None
        if received is not None:
            run = self._started(self, received, task)
            self.scale.full(free_slots=self.slots.free)
            self._fill()
        if not self._polling:
            self._ended.set()
        if run:
            task.set_name(self._names[1])
            await run

    async def _next(self) -> ActivityTask | None:
        """What a poll brings, with a slot in hand; None when there should be one loop less, or no more polls."""
        waits = None
        while len(self._polling) <= self.scale.target and await self._ready():
            opened = monotonic()
            try:
                received = await self._poll()
            except ServiceError as error:
                if left := await self._mended(error):
                    soon, slow = waits = waits or _waits()
                    await self._pause(left, soon if self._may_pass(left) else slow)
                continue
            waits = None
            self._worked()
            self._counts.polled(PollOutcome.EMPTY if received is None else PollOutcome.TASK)
            if received is not None:
                return received
            self.scale.empty()
            await self._pass(_LEAST_HOLD - (monotonic() - opened))
        return None

    async def _poll(self) -> ActivityTask | None:
        """One poll, with a slot in hand; the slot is given back if it brings no task."""
        received = None
        self.open += 1
        try:
            received = await self._client.get_activity_task(self.activity.arn, self._worker_name)
        finally:
            self.open -= 1
            if received is None:
                self.slots.give()
                self.brake.unused()
        return received

    async def _ready(self) -> bool:
        """True with a slot in hand, when the brake lets a poll through; False when the drain has begun.

        A braked activity holds no slot.
        """
        while self._drain.polls:
            if not self.slots.try_take():
                await self.slots.maybe_free()
                continue
            if (delay := self.brake.delay()) == 0.0:
                return True
            self.slots.give()
            await self._pass(delay)
        return False

    async def _wake_for_drain(self) -> None:
        await self._drain.draining
        self.slots.wake_all()

    def _may_pass(self, error: ServiceError) -> bool:
        """Whether `error` may soon be over by itself. If not, a person must act, and frequent polls help nobody."""
        return isinstance(error, TransientError) or (isinstance(error, ActivityMissingError) and bool(self._creation))

    async def _mended(self, error: ServiceError) -> ServiceError | None:
        """None when a missing activity has been created; otherwise what keeps the poll from working."""
        self._counts.polled(error.code)
        if isinstance(error, ThrottledError):
            self._metrics.throttled(error.operation)
            self.scale.throttled()
        if not (isinstance(error, ActivityMissingError) and self._creation):
            return error
        try:
            return None if await self._creation.create() else error
        except ServiceError as refused:
            if isinstance(refused, ThrottledError):
                self._metrics.throttled(refused.operation)
            return refused

    async def _pause(self, error: ServiceError, backoff: Backoff) -> None:
        delay = backoff.next()
        self._say(error, delay)
        self.trouble = None if self._may_pass(error) else error
        if self.trouble:
            self._troubled()
        await self._pass(delay)

    async def _pass(self, seconds: float) -> None:
        """Lets time pass, until the drain at most."""
        if seconds > 0:
            with anyio.move_on_after(seconds):
                await self._drain.draining

    def _worked(self) -> None:
        self.has_polled = True
        self.trouble = None
        if self._said:
            self._said.clear()
            log.info("polling again", activity=self.activity.name)

    def _say(self, error: ServiceError, delay: float) -> None:
        """Logs a failed call, each kind once every few seconds, however many polls fail."""
        now = monotonic()
        if now - self._said.get(error.code, float("-inf")) < _SAY_EVERY:
            return
        self._said[error.code] = now
        hint = _hint(error, creates=bool(self._creation))
        log.warning("poll failed", activity=self.activity.name, error=str(error), again_in=round(delay, 2), hint=hint)


def _waits() -> tuple[Backoff, Backoff]:
    """The pauses after faults that may soon be over, and after others."""
    return Backoff(initial=0.2, maximum=5.0), Backoff(initial=2.0, maximum=30.0)


def _hint(error: ServiceError, *, creates: bool) -> str:
    if isinstance(error, ActivityMissingError):
        if creates:  # else it would have been created
            return f"created less than {AGAIN_AFTER:g} s ago: not visible yet, or deleted since; created again then"
        return "create the activity, or run without --no-create"
    if isinstance(error, DeniedError):
        return f"the worker needs states:{error.operation} on this activity, and valid credentials"
    if isinstance(error, ThrottledError) and error.operation != "CreateActivity":
        return "polling less"
    return "trying again" if isinstance(error, TransientError) else "see the error"
