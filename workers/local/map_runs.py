"""Map runs: what a Distributed Map has done with its items so far."""

import uuid
from collections import Counter
from collections.abc import Callable, Container
from typing import Any

from workers.local.executions import RUNNING, SUCCEEDED, Execution

STATUSES = (
    *("pending", "running", "succeeded", "failed", "timedOut", "aborted"),
    *("failuresNotRedrivable", "pendingRedrive"),
)
NAMES = {
    "RUNNING": "running",
    "SUCCEEDED": "succeeded",
    "FAILED": "failed",
    "TIMED_OUT": "timedOut",
    "ABORTED": "aborted",
}


class MapRun:
    """One run of a Distributed Map: an execution for each batch of its items. Times are seconds since 1970."""

    def __init__(self, arn: str, execution: Execution, state: str, started: float) -> None:
        self.arn = arn
        self.execution = execution
        """The one that the Map is in."""
        self.state = state
        """Name of the Map."""
        self.started = started
        self.stopped: float | None = None
        self.status = RUNNING
        self.max_concurrency = 0
        self.tolerated_count: int | None = None
        self.tolerated_percentage: float | None = None
        self.redrives = 0
        self.redriven: float | None = None
        self.sizes: list[int] = []
        """Items in each batch."""
        self.children: dict[int, Execution] = {}
        """By the number of their batch."""
        self.awaiting: set[int] = set()
        """The numbers of batches whose executions were not successful and wait to be redriven."""
        self.changed: Callable[[], None] = lambda: None
        """Called when its limits were changed."""
        self.written = 0
        """Items whose results were written to S3."""

    @property
    def label(self) -> str:
        """What the names of its executions have in front."""
        return self.arn.split(":")[-2].partition("/")[2]

    def counts(self, *, items: bool, lost: Container[int] = ()) -> dict[str, int]:
        """How many items, or executions, are in each status. `lost`: batches that can never be redriven."""
        found: Counter[str] = Counter()
        for number, size in enumerate(self.sizes):
            weight, child = size if items else 1, self.children.get(number)
            status = NAMES[child.status] if child else "pending"
            found["pendingRedrive" if number in self.awaiting else status] += weight
            if number in lost:
                found["failuresNotRedrivable"] += weight
        total = sum(self.sizes) if items else len(self.sizes)
        written = self.written if items else len(self.sizes) if self.written else 0
        return {status: found[status] for status in STATUSES} | {"total": total, "resultsWritten": written}

    def exceeded(self) -> bool:
        """Whether more of it has failed than is tolerated."""
        counts = self.counts(items=True)
        failed = counts["failed"] + counts["timedOut"] + counts["aborted"]
        count, percentage = self.tolerated_count, self.tolerated_percentage
        if count is None and percentage is None:
            return failed > 0
        if count is not None and failed > count:
            return True
        return percentage is not None and failed * 100 > percentage * counts["total"]

    def end(self, status: str, now: float) -> None:
        if self.status == RUNNING:
            self.status, self.stopped = status, now
            self.awaiting.clear()

    def reopen(self, now: float) -> None:
        """Runs again: its execution is redriven. What was not successful waits for its turn."""
        self.status, self.stopped = RUNNING, None
        self.redrives, self.redriven = self.redrives + 1, now
        unsuccessful = (number for number, child in self.children.items() if child.status not in (RUNNING, SUCCEEDED))
        self.awaiting = {number for number in unsuccessful if not self.children[number].full}

    def describe(self, lost: Container[int]) -> dict[str, Any]:
        """As DescribeMapRun shows it. `lost`: batches whose executions can never be redriven."""
        return {
            "mapRunArn": self.arn,
            "executionArn": self.execution.arn,
            "status": self.status,
            "startDate": self.started,
            "stopDate": self.stopped,
            "maxConcurrency": self.max_concurrency,
            "toleratedFailurePercentage": self.tolerated_percentage or 0.0,
            "toleratedFailureCount": self.tolerated_count or 0,
            "itemCounts": self.counts(items=True, lost=lost),
            "executionCounts": self.counts(items=False, lost=lost),
            "redriveCount": self.redrives,
            "redriveDate": self.redriven,
        }


def new_map_run_arn(execution: Execution, label: str | None) -> str:
    """An ARN for a run of a Map in `execution`."""
    prefix, _, machine = execution.machine_arn.replace(":stateMachine:", ":mapRun:").rpartition(":")
    return f"{prefix}:{machine}/{label or uuid.uuid4()}:{uuid.uuid4()}"
