"""The end of a worker, as a state machine.

    RUNNING --first signal--> DRAINING --grace over--> CANCELLING --nothing left--> (end)
                                 |                          |
                                 +------second signal-------+--> FORCED

RUNNING     polls are opened whenever a slot is free.
DRAINING    no poll is opened; the open ones are awaited, however long Step Functions holds them, because one
            that is dropped can take a task with it. Handlers run on; a task that still arrives is run too.
CANCELLING  the grace is over: handlers are cancelled with the reason `shutdown` and their tasks, like any that
            still arrive, are failed as `Worker.ShuttingDown`, which a state machine's Retry reschedules.
FORCED      polls are dropped and handlers cancelled at once; reports get a moment.
"""

from enum import StrEnum

import anyio

from workers.task import Draining


class Phase(StrEnum):
    """Where a worker is in its life."""

    RUNNING = "running"
    DRAINING = "draining"
    CANCELLING = "cancelling"
    FORCED = "forced"


class Drain:
    """The phase of one worker, and the events that others wait for."""

    def __init__(self) -> None:
        self.phase = Phase.RUNNING
        self.polls = True
        """Whether polls may still be opened."""
        self.accepts = True
        """Whether a task that arrives now may still be run."""
        self.draining = Draining()
        self._grace_over = anyio.Event()
        self._forced = anyio.Event()

    def begin(self) -> bool:
        """The first signal. False when the drain had begun before."""
        if self.phase is not Phase.RUNNING:
            return False
        self.phase = Phase.DRAINING
        self.polls = False
        self.draining.set()
        return True

    def cancel(self) -> None:
        """The grace is over."""
        self.accepts = False
        if self.phase is Phase.DRAINING:
            self.phase = Phase.CANCELLING
        self._grace_over.set()

    def force(self) -> bool:
        """The second signal. False when the drain had begun before."""
        first = self.begin()
        self.accepts = False
        self.phase = Phase.FORCED
        self._forced.set()
        return first

    async def grace_over(self) -> None:
        """Waits for the end of the grace."""
        await self._grace_over.wait()

    async def forced(self) -> None:
        """Waits for the second signal."""
        await self._forced.wait()
