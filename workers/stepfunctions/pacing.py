"""Calls that wait for their turn, so that one process leaves an account's API buckets to others.

Step Functions throttles each API by a token bucket, one for an account and region. Numbers: "Quotas related to API
action throttling", Step Functions service quotas; soft.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import anyio


@dataclass(frozen=True, slots=True)
class Bucket:
    """A token bucket: calls that it holds, and calls a second that flow back."""

    size: int
    refill: float


_RARE = Bucket(100, 1)
BUCKETS: Mapping[str, Bucket] = {
    "CreateActivity": _RARE,
    "CreateStateMachine": _RARE,
    "CreateStateMachineAlias": _RARE,
    "DeleteActivity": _RARE,
    "DeleteStateMachine": _RARE,
    "DeleteStateMachineAlias": _RARE,
    "DescribeActivity": Bucket(200, 1),
    "DescribeExecution": Bucket(250, 10),
    "DescribeStateMachine": Bucket(200, 20),
    "DescribeStateMachineAlias": _RARE,
    "DescribeStateMachineForExecution": Bucket(200, 1),
    "GetExecutionHistory": Bucket(400, 20),
    "ListActivities": Bucket(100, 5),
    "ListExecutions": Bucket(100, 2),
    "ListStateMachineVersions": _RARE,
    "ListStateMachines": Bucket(100, 5),
    "ListTagsForResource": _RARE,
    "PublishStateMachineVersion": _RARE,
    "RedriveExecution": Bucket(800, 150),
    "StartExecution": Bucket(800, 150),
    "StopExecution": Bucket(500, 25),
    "TagResource": _RARE,
    "UpdateStateMachine": _RARE,
    "UpdateStateMachineAlias": _RARE,
}
"""In most regions."""
_LARGER: Mapping[str, Bucket] = {
    "DescribeExecution": Bucket(300, 15),
    "ListActivities": Bucket(100, 10),
    "ListExecutions": Bucket(200, 5),
    "RedriveExecution": Bucket(1_300, 300),
    "StartExecution": Bucket(1_300, 300),
    "StopExecution": Bucket(1_000, 200),
}
_LARGE_REGIONS = frozenset({"us-east-1", "us-west-2", "eu-west-1"})
_SHARE = 0.5
"""The part of a full bucket that is taken at once; after that, a call waits until one has flowed back."""


def buckets(region: str) -> Mapping[str, Bucket]:
    """The buckets of an account in a region."""
    return {**BUCKETS, **_LARGER} if region in _LARGE_REGIONS else BUCKETS


class Pace:
    """Turns at one API."""

    def __init__(self, bucket: Bucket) -> None:
        self._interval = 1 / bucket.refill
        self._ahead = bucket.size * _SHARE * self._interval
        self._due = float("-inf")

    async def turn(self) -> None:
        """Waits until the next call may be made."""
        now = anyio.current_time()
        self._due = max(self._due, now - self._ahead) + self._interval
        if self._due > now:
            await anyio.sleep(self._due - now)
