"""The limits on rates: a bucket of tokens for each operation, and one for state transitions (Step Functions quotas)."""

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

_OF_EXPRESS = {"StartExecution": (Limit(6_000, 6_000), Limit(6_000, 6_000))}
_TRANSITIONS = (Limit(5_000, 5_000), Limit(800, 800))


class Buckets:
    """The buckets of one region, full at first. `clock` gives seconds."""

    def __init__(self, region: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._which = _which(region)
        self._clock = clock
        self._levels: dict[tuple[str, bool], tuple[float, float]] = {}

    def take(self, operation: str, *, express: bool = False) -> None:
        """Takes a token for a request; `express`: to an Express state machine.

        Raises `ApiError` ThrottlingException when there is none.
        """
        express = express and operation in _OF_EXPRESS
        limits = (_OF_EXPRESS if express else LIMITS).get(operation)
        if limits is None:
            return
        limit, now, bucket = limits[self._which], self._clock(), (operation, express)
        level, then = self._levels.get(bucket, (float(limit.size), now))
        level = min(level + (now - then) * limit.refill, limit.size)
        if level < 1:
            self._levels[bucket] = level, now
            raise ApiError("ThrottlingException", "Rate exceeded")
        self._levels[bucket] = level - 1, now


class Transitions:
    """The state transitions of one region's Standard executions: AWS delays those that come too fast."""

    def __init__(self, region: str, *, clock: Callable[[], float]) -> None:
        self._limit = _TRANSITIONS[_which(region)]
        self._clock = clock
        self._level = float(self._limit.size)
        self._then = clock()

    def __call__(self) -> float:
        """Counts a transition, and gives the seconds that it has to wait."""
        now = self._clock()
        refilled = self._level + (now - self._then) * self._limit.refill
        self._level, self._then = min(refilled, self._limit.size) - 1, now
        return max(-self._level, 0) / self._limit.refill


def _which(region: str) -> int:
    return 0 if region in _BIG_REGIONS else 1
