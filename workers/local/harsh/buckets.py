"""The limits on request rates: a bucket of tokens for each operation (Step Functions quotas)."""

import time
from collections.abc import Callable, Mapping
from typing import NamedTuple

from workers.local.errors import ApiError


class Limit(NamedTuple):
    """How many requests may come at once, and how many more each second."""

    size: int
    refill: float


_BIG_REGIONS = frozenset({"us-east-1", "us-west-2", "eu-west-1"})
_TASKS = (Limit(3_000, 500), Limit(1_500, 300))
_STARTS = (Limit(1_300, 300), Limit(800, 150))
_CHANGES = (Limit(100, 1), Limit(100, 1))
_LOOKS = (Limit(200, 20), Limit(200, 20))

LIMITS: Mapping[str, tuple[Limit, Limit]] = {
    "GetActivityTask": _TASKS,
    "SendTaskHeartbeat": _TASKS,
    "SendTaskSuccess": _TASKS,
    "SendTaskFailure": _TASKS,
    "StartExecution": _STARTS,
    "RedriveExecution": _STARTS,
    "StopExecution": (Limit(1_000, 200), Limit(500, 25)),
    "DescribeExecution": (Limit(300, 15), Limit(250, 10)),
    "GetExecutionHistory": (Limit(400, 20), Limit(400, 20)),
    "ListExecutions": (Limit(200, 5), Limit(100, 2)),
    "DescribeStateMachine": _LOOKS,
    "ListStateMachines": (Limit(100, 5), Limit(100, 5)),
    "ListActivities": (Limit(100, 10), Limit(100, 5)),
    "DescribeActivity": (Limit(200, 1), Limit(200, 1)),
    "DescribeStateMachineForExecution": (Limit(200, 1), Limit(200, 1)),
    "TestState": (Limit(50, 10), Limit(50, 10)),
    **dict.fromkeys(
        (
            "CreateActivity",
            "CreateStateMachine",
            "CreateStateMachineAlias",
            "DeleteActivity",
            "DeleteStateMachine",
            "DeleteStateMachineAlias",
            "DeleteStateMachineVersion",
            "PublishStateMachineVersion",
            "UpdateStateMachine",
            "UpdateStateMachineAlias",
            "ValidateStateMachineDefinition",
        ),
        _CHANGES,
    ),
}
"""In us-east-1, us-west-2 and eu-west-1, and in all other regions."""


class Buckets:
    """The buckets of one region, full at first. `clock` gives seconds."""

    def __init__(self, region: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._which = 0 if region in _BIG_REGIONS else 1
        self._clock = clock
        self._levels: dict[str, tuple[float, float]] = {}

    def take(self, operation: str) -> None:
        """Takes a token for a request. Raises `ApiError` ThrottlingException when there is none."""
        if operation not in LIMITS:
            return
        limit, now = LIMITS[operation][self._which], self._clock()
        level, then = self._levels.get(operation, (float(limit.size), now))
        level = min(level + (now - then) * limit.refill, limit.size)
        if level < 1:
            self._levels[operation] = level, now
            raise ApiError("ThrottlingException", "Rate exceeded")
        self._levels[operation] = level - 1, now
