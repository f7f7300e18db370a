"""Creating an activity that does not exist: once for all its pollers, and only after a poll has missed it."""

import random

import anyio
import structlog

from workers.arns import activity_name
from workers.stepfunctions.protocol import StepFunctions
from workers.supervisor.activity import Activity

log = structlog.get_logger(__name__)

_JITTER = 0.25
"""Seconds over which workers that start together spread their calls: CreateActivity refills at 1 a second."""
AGAIN_AFTER = 30.0
"""Seconds: a fresh activity may stay invisible for a while (CreateActivity is eventually consistent)."""


class Creation:
    """Creates one activity."""

    def __init__(self, activity: Activity, client: StepFunctions) -> None:
        self._activity = activity
        self._client = client
        self._lock = anyio.Lock()
        self._created = float("-inf")

    async def create(self) -> bool:
        """Creates the activity, unless that was done just now. True when it is worth polling at once.

        Raises what Step Functions says to that.
        """
        seen = self._created
        async with self._lock:
            if self._created != seen:
                return True
            if anyio.current_time() - self._created < AGAIN_AFTER:
                return False
            await anyio.sleep(random.uniform(0, _JITTER))  # noqa: S311 - jitter, not a secret
            await self._client.create_activity(activity_name(self._activity.arn))
            self._created = anyio.current_time()
            log.info("activity created", activity=self._activity.name, arn=self._activity.arn)
            return True
