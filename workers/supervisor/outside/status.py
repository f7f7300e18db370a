"""What a worker tells the outside about itself. Read from other threads, also while the event loop is blocked."""

import asyncio
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from workers.supervisor.drain import Phase
from workers.task import CancelReason, Task

STARTING = "starting"
"""Before the first poll: AWS is being found, lifespans are being entered."""


class Named(Protocol):
    """An activity, as far as a status shows it."""

    @property
    def name(self) -> str:
        """The name it is registered under."""


class Elsewhere(Protocol):
    """A process that works on a task, as far as a status shows it."""

    def ask_stack(self) -> None:
        """Makes it write down where it is."""

    def stack(self, until: float) -> list[str]:
        """What it has written down by `until` (monotonic): lines of code, outermost first."""


class Running(Protocol):
    """A running task, as far as a status shows it. Times are of the monotonic clock, in seconds."""

    @property
    def activity(self) -> Named:
        """Its activity."""

    @property
    def label(self) -> str:
        """Its name in logs."""

    @property
    def started(self) -> float:
        """When the poll returned it."""

    @property
    def task(self) -> Task | None:
        """The task as its handler sees it, once its input has been read."""

    @property
    def last_beat(self) -> float | None:
        """When a heartbeat was last accepted."""

    @property
    def cancel_reason(self) -> CancelReason | None:
        """Why it was cancelled, or None."""

    @property
    def worked_on(self) -> "asyncio.Task[object] | None":
        """The event loop's task that runs it."""

    @property
    def thread_id(self) -> int | None:
        """Identifier of the thread that works on it now."""

    @property
    def process(self) -> "Elsewhere | None":
        """The process that works on it now."""


@dataclass(frozen=True, kw_only=True)
class Status:
    """A worker at one moment. Made anew for each question: it must only read, and lock nothing."""

    worker: str
    """The worker's name."""
    phase: str = STARTING
    """`starting`, or a `Phase` of the drain."""
    problems: Mapping[str, str] = field(default_factory=dict)
    """What a person must mend, by activity: one that is missing, or that the worker may not poll."""
    braked: Mapping[str, float] = field(default_factory=dict)
    """Seconds in which polls were held back by a rate or a pause so far, by activity."""
    running: Collection[Running] = ()
    """Every task that was received and has not been reported."""

    @property
    def ready(self) -> bool:
        """Whether the worker takes tasks of all its activities."""
        return self.phase == Phase.RUNNING and not self.problems
