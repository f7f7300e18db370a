"""Activities: queues of tasks, and the long polls that empty them.

Everything here runs on the engine's event loop. Tasks leave in the order they came, polls are served in the order
they were opened, and each task is given to exactly one poll. A poll whose client has gone gives its task back.
"""

import asyncio
import time
from collections import OrderedDict, deque

from workers.arns import Place
from workers.local.clock import Clock
from workers.local.errors import ApiError, activity_does_not_exist
from workers.local.tasks import Attempt

POLLS_PER_ACTIVITY = 1_000
"""Open GetActivityTask calls an activity may have (Step Functions quotas)."""


PATIENCE = 1.0
"""Seconds after which a task that nobody polls for is not on its way to a worker."""


class Activity:
    """An activity: its name and its age."""

    def __init__(self, arn: str, name: str, created: float) -> None:
        self.arn = arn
        self.name = name
        self.created = created


class Queue:
    """The tasks of one activity that wait for a worker, or the polls that wait for a task."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._tasks: OrderedDict[str, Attempt] = OrderedDict()
        self._polls: deque[asyncio.Future[Attempt]] = deque()
        self._polled = 0.0
        self._holding: asyncio.TimerHandle | None = None

    def put(self, task: Attempt) -> None:
        """Gives `task` to the poll that waits longest, or keeps it for the next one."""
        self._offer(task, first=False)
        if self._tasks:
            self._hold()

    def discard(self, task: Attempt) -> None:
        """Takes `task` out again where it still waits: its state is over."""
        self._tasks.pop(task.token, None)
        self._let_go()

    async def take(self, worker_name: str | None, *, hold: float) -> Attempt | None:
        """Waits up to `hold` seconds for a task and starts it. Raises `ApiError` when the activity is deleted
        meanwhile, or has more open polls than AWS allows.
        """
        if len(self._polls) >= POLLS_PER_ACTIVITY:
            raise ApiError(
                "ActivityWorkerLimitExceeded",
                "The maximum number of workers concurrently polling for activity tasks has been reached.",
            )
        deadline = time.monotonic() + hold
        while (task := self._next() or await self._wait(deadline - time.monotonic())) is not None:
            if task.start(worker_name):
                return task
        return None

    def close(self, error: ApiError) -> None:
        """Ends every open poll with `error`."""
        while self._polls:
            if not (poll := self._polls.popleft()).done():
                poll.set_exception(error)

    def _next(self) -> Attempt | None:
        if not self._tasks:
            return None
        task = self._tasks.popitem(last=False)[1]
        asyncio.get_running_loop().call_soon(self._let_go)  # when it has started, and holds the time itself
        return task

    def _offer(self, task: Attempt, *, first: bool) -> None:
        while self._polls:
            if not (poll := self._polls.popleft()).done():
                poll.set_result(task)
                return
        self._tasks[task.token] = task
        if first:
            self._tasks.move_to_end(task.token, last=False)

    async def _wait(self, seconds: float) -> Attempt | None:
        loop = asyncio.get_running_loop()
        poll: asyncio.Future[Attempt] = loop.create_future()
        self._polls.append(poll)
        timer = loop.call_later(max(seconds, 0), _give_up, poll)
        try:
            return await poll
        except _HoldOverError:
            return None
        except asyncio.CancelledError:
            if poll.done() and not poll.cancelled() and poll.exception() is None:
                self._offer(poll.result(), first=True)  # the client went while the task was on its way to it
            raise
        finally:
            timer.cancel()
            self._polled = loop.time()
            if not poll.done():
                poll.cancel()
            if poll in self._polls:
                self._polls.remove(poll)

    def _hold(self) -> None:
        """A task that waits is on its way to a worker, unless nobody has polled for a while."""
        if self._holding is None:
            self._clock.hold()
            self._holding = asyncio.get_running_loop().call_later(PATIENCE, self._release)

    def _let_go(self) -> None:
        if self._holding and not self._tasks:
            self._holding.cancel()
            self._holding = None
            self._clock.release()

    def _release(self) -> None:
        self._holding = None
        self._clock.release()
        if self._tasks and asyncio.get_running_loop().time() - self._polled < PATIENCE:
            self._hold()


class _HoldOverError(Exception):
    """No task came."""


def _give_up(poll: "asyncio.Future[Attempt]") -> None:
    if not poll.done():
        poll.set_exception(_HoldOverError)


class Activities:
    """The activities of one region by ARN."""

    def __init__(self, place: Place, clock: Clock) -> None:
        self._place = place
        self._clock = clock
        self._activities: dict[str, Activity] = {}
        # A queue outlives its activity: what waits in it is there for an activity created again.
        self._queues: dict[str, Queue] = {}

    def create(self, name: str) -> Activity:
        """Returns the activity of that name, made now if there is none (CreateActivity is idempotent)."""
        arn = self._place.activity(name)
        if arn not in self._queues:
            self._queues[arn] = Queue(self._clock)
        return self._activities.setdefault(arn, Activity(arn, name, self._clock.now()))

    def adopt(self, activity: Activity) -> None:
        """Takes over an activity that was stored."""
        self._activities[activity.arn] = activity
        self._queues[activity.arn] = Queue(self._clock)

    def get(self, arn: str) -> Activity:
        """Raises `ApiError` ActivityDoesNotExist."""
        if (activity := self._activities.get(arn)) is None:
            raise activity_does_not_exist(arn)
        return activity

    def queue(self, arn: str) -> Queue:
        """Raises `ApiError` ActivityDoesNotExist."""
        self.get(arn)
        return self._queues[arn]

    def delete(self, arn: str) -> None:
        """Forgets an activity, known or not, and ends its open polls."""
        if self._activities.pop(arn, None):
            self._queues[arn].close(activity_does_not_exist(arn))

    def put(self, arn: str, task: Attempt) -> None:
        """Queues a task of an activity, though it may have been deleted meanwhile."""
        if arn not in self._queues:
            self._queues[arn] = Queue(self._clock)
        self._queues[arn].put(task)

    def discard(self, arn: str, task: Attempt) -> None:
        """Takes a task out of its queue again: nobody waits for it any more."""
        if queue := self._queues.get(arn):
            queue.discard(task)

    def __contains__(self, arn: object) -> bool:
        return arn in self._activities

    def by_name(self) -> list[Activity]:
        return sorted(self._activities.values(), key=lambda activity: activity.name)
