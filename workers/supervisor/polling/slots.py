"""Slots: the rights to run a task. One is taken before a poll, and given back when the task has been reported."""

import asyncio
from collections import deque

from workers.errors import UsageError


class Budget:
    """How many tasks the whole worker may run: each activity owns one slot, the rest are shared.

    `total` None: as many as the activities' own limits add up to. Raises `UsageError` for a budget in which not
    every activity could own a slot.
    """

    def __init__(self, total: int | None, activities: int) -> None:
        if total is not None and total < activities:
            raise UsageError(
                f"--budget {total} is below the number of activities: each of the {activities} needs a slot of its own"
            )
        self._shared = None if total is None else total - activities
        self._sharing: list[Slots] = []

    def join(self, slots: "Slots") -> None:
        """One more activity takes part."""
        self._sharing.append(slots)

    def take_shared(self) -> bool:
        """Takes one of the shared slots, if there is one."""
        if self._shared is None:
            return True
        if self._shared == 0:
            return False
        self._shared -= 1
        return True

    def give_shared(self) -> None:
        """Gives a shared slot back, to whoever waits for one."""
        if self._shared is not None:
            self._shared += 1
            for slots in self._sharing:
                slots.wake_one()


class Slots:
    """The slots of one activity."""

    def __init__(self, limit: int, budget: Budget) -> None:
        self.limit = limit
        self.used = 0
        self._budget = budget
        self._waiting: deque[asyncio.Event] = deque()
        budget.join(self)

    @property
    def free(self) -> int:
        """Slots that this activity's own limit leaves."""
        return self.limit - self.used

    def try_take(self) -> bool:
        """Takes a slot if there is one."""
        if self.used >= self.limit or (self.used > 0 and not self._budget.take_shared()):
            return False
        self.used += 1
        return True

    def give(self) -> None:
        """Gives a slot back."""
        self.used -= 1
        if self.used > 0:
            self._budget.give_shared()
        self.wake_one()

    async def maybe_free(self) -> None:
        """Waits until it is worth trying again: a slot was given back, or `wake_all` was called."""
        event = asyncio.Event()
        self._waiting.append(event)
        await event.wait()

    def wake_one(self) -> None:
        """Lets the one who has waited longest try again."""
        if self._waiting:
            self._waiting.popleft().set()

    def wake_all(self) -> None:
        """Lets everybody look again: there is something other than slots to see."""
        while self._waiting:
            self.wake_one()
