"""How much of its time an activity's slots work: the number that scales services of commands up and down.

As sfncli's metric: 100 * active / (total - paused), in percent of an interval, where paused is the time in which
nothing may be polled for; 100 where that is the whole interval.
"""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import anyio
import structlog

log = structlog.get_logger(__name__)

INTERVAL = 60.0
"""Seconds: CloudWatch keeps one number a minute."""
NAMESPACE = "StatesCustom"
METRIC = "ActivityActivePercent"
DIMENSION = "ActivityArn"
"""What sfncli calls them, so that alarms and scaling policies go on working."""


class Utilisation:
    """The share of the slots' time that is spent on tasks.

    `paused()` says how many seconds the activity's polls have been held back so far; `clock()` is in seconds.
    """

    def __init__(
        self, slots: int, *, paused: Callable[[], float] = lambda: 0.0, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.last = 0.0
        """The percentage of the last whole interval."""
        self._slots = slots
        self._paused = paused
        self._clock = clock
        self._running = 0
        self._active = 0.0
        self._seen = self._begin = clock()
        self._paused_before = 0.0

    @contextmanager
    def working(self) -> Iterator[None]:
        """A slot works while it is entered."""
        self._count()
        self._running += 1
        try:
            yield
        finally:
            self._count()
            self._running -= 1

    def take(self) -> float:
        """The percentage since the last call, and begins anew."""
        self._count()
        paused, total = self._paused(), (self._seen - self._begin) * self._slots
        # What runs while polls are held back is active, not paused.
        free = total - min((paused - self._paused_before) * self._slots, total - self._active)
        self.last = 100.0 * self._active / free if free > 0 else 100.0
        self._active, self._begin, self._paused_before = 0.0, self._seen, paused
        return self.last

    def _count(self) -> None:
        now = self._clock()
        self._active += (now - self._seen) * self._running
        self._seen = now


async def keep_utilisation(
    utilisation: Utilisation, arn: Callable[[], str | None], *, emit: bool, interval: float
) -> None:
    """Takes the number every `interval` seconds, for ever; with `emit` also prints it for CloudWatch."""
    while True:
        await anyio.sleep(interval)
        percent = utilisation.take()
        if emit and (known := arn()):
            try:
                print(embedded(known, percent), flush=True)  # noqa: T201 - stdout is where CloudWatch reads it
            except OSError as error:
                log.warning("metrics no longer printed", error=str(error))
                return


def embedded(arn: str, percent: float) -> str:
    """The number as a line in CloudWatch's embedded metric format."""
    directive = {
        "Namespace": NAMESPACE,
        "Dimensions": [[DIMENSION]],
        "Metrics": [{"Name": METRIC, "Unit": "Percent"}],
    }
    document = {
        "_aws": {"Timestamp": round(time.time() * 1000), "CloudWatchMetrics": [directive]},
        DIMENSION: arn,
        METRIC: round(percent, 3),
    }
    return json.dumps(document, separators=(",", ":"))
