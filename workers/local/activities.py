"""Activities: queues of tasks, and the long polls that empty them.

Everything here runs on the engine's event loop. Tasks leave in the order they came, polls are served in the order
they were opened, and each task is given to exactly one poll. A poll whose client has gone gives its task back.
"""

import asyncio
import time
from collections import deque
from contextlib import suppress

from workers.arns import Place
from workers.local.errors import ApiError, activity_does_not_exist
from workers.local.tasks import ActivityTask

POLLS_PER_ACTIVITY = 1_000
"""Open GetActivityTask calls an activity may have (Step Functions quotas)."""


class Activity:
    """An activity: its name and its age."""

    def __init__(self, arn: str, name: str) -> None:
        self.arn = arn
        self.name = name
        self.created = time.time()


class Queue:
    """The tasks of one activity that wait for a worker, or the polls that wait for a task."""

    def __init__(self) -> None:
        self._tasks: deque[ActivityTask] = deque()
        self._polls: deque[asyncio.Future[ActivityTask]] = deque()

    def put(self, task: ActivityTask) -> None:
        """Gives `task` to the poll that waits longest, or keeps it for the next one."""
        self._offer(task, first=False)

    def discard(self, task: ActivityTask) -> None:
        """Takes `task` out again where it still waits: its execution is over."""
        with suppress(ValueError):
            self._tasks.remove(task)

    async def take(self, worker_name: str | None, *, hold: float) -> ActivityTask | None:
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

    def _next(self) -> ActivityTask | None:
        return self._tasks.popleft() if self._tasks else None

    def _offer(self, task: ActivityTask, *, first: bool) -> None:
        while self._polls:
            if not (poll := self._polls.popleft()).done():
                poll.set_result(task)
                return
        (self._tasks.appendleft if first else self._tasks.append)(task)

    async def _wait(self, seconds: float) -> ActivityTask | None:
        poll: asyncio.Future[ActivityTask] = asyncio.get_running_loop().create_future()
        self._polls.append(poll)
        try:
            async with asyncio.timeout(max(seconds, 0)):
                return await poll
        except TimeoutError:
            return poll.result() if _holds_task(poll) else None
        except asyncio.CancelledError:
            if _holds_task(poll):  # the client went while the task was on its way to it
                self._offer(poll.result(), first=True)
            raise
        finally:
            if not poll.done():
                poll.cancel()
            if poll in self._polls:
                self._polls.remove(poll)


def _holds_task(poll: asyncio.Future[ActivityTask]) -> bool:
    return poll.done() and not poll.cancelled() and poll.exception() is None


class Activities:
    """The activities of one region by ARN."""

    def __init__(self, place: Place) -> None:
        self._place = place
        self._activities: dict[str, Activity] = {}
        # A queue outlives its activity: what waits in it is there for an activity created again.
        self._queues: dict[str, Queue] = {}

    def create(self, name: str) -> Activity:
        """Returns the activity of that name, made now if there is none (CreateActivity is idempotent)."""
        arn = self._place.activity(name)
        self._queues.setdefault(arn, Queue())
        return self._activities.setdefault(arn, Activity(arn, name))

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

    def put(self, arn: str, task: ActivityTask) -> None:
        """Queues a task of an activity, though it may have been deleted meanwhile."""
        self._queues[arn].put(task)

    def discard(self, arn: str, task: ActivityTask) -> None:
        """Takes a task out of its queue again: nobody waits for it any more."""
        self._queues[arn].discard(task)

    def __contains__(self, arn: object) -> bool:
        return arn in self._activities

    def by_name(self) -> list[Activity]:
        return sorted(self._activities.values(), key=lambda activity: activity.name)
