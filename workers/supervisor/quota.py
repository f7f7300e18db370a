"""What a worker asks of the account's API buckets.

Step Functions throttles each API by a token bucket, one for an account and region, shared by all its workers.
Numbers: "Quotas related to API action throttling", Step Functions service quotas; soft, an account may have more.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

from workers.arns import Place
from workers.registry import Registry
from workers.settings import Settings
from workers.stepfunctions.client import POLL_HOLD
from workers.stepfunctions.connection import connect
from workers.stepfunctions.pacing import Bucket
from workers.supervisor.activity import activities

LARGE_REGIONS = frozenset({"us-east-1", "us-west-2", "eu-west-1"})
"""Regions with larger buckets."""


_LARGE = Bucket(3_000, 500)
_SMALL = Bucket(1_500, 300)
"""The same for GetActivityTask, SendTaskHeartbeat, and SendTaskSuccess with SendTaskFailure."""


class Load(Protocol):
    """An activity of a worker, as far as quotas are concerned."""

    @property
    def concurrency(self) -> int:
        """Slots."""

    @property
    def pollers(self) -> int:
        """Open polls at most."""

    @property
    def heartbeat(self) -> float:
        """Seconds between the heartbeats of one task; 0 for none."""

    @property
    def rate(self) -> float | None:
        """Tasks a second at most, where that is limited."""


@dataclass(frozen=True, kw_only=True)
class Demand:
    """What a worker asks of one bucket."""

    api: str
    at_once: int
    """Calls that can come at one moment: all polls at start, all reports when all tasks end together."""
    steady: float | None
    """Calls a second; None: one a task, and nobody limits the tasks."""
    when: str
    """When it asks that."""
    bucket: Bucket

    @property
    def share(self) -> float:
        """The largest part of the bucket that is asked for; above 1, Step Functions throttles."""
        return max(self.at_once / self.bucket.size, (self.steady or 0.0) / self.bucket.refill)


def demands(loads: Iterable[Load], region: str | None, *, budget: int | None = None) -> list[Demand]:
    """What a worker with these activities asks of each bucket in `region`; `budget` limits all slots together."""
    loads = list(loads)
    bucket = _LARGE if region in LARGE_REGIONS else _SMALL
    polls = sum(load.pollers for load in loads)
    slots = min(sum(load.concurrency for load in loads), budget or 10**9)
    rates = [load.rate for load in loads if load.rate is not None]
    tasks = sum(rates) if len(rates) == len(loads) else None
    idle = polls / POLL_HOLD
    return [
        Demand(
            api="GetActivityTask",
            at_once=polls,
            steady=idle if tasks is None else max(idle, tasks),
            when="idle" if tasks is None or idle >= tasks else "at the rate limit",
            bucket=bucket,
        ),
        Demand(
            api="SendTaskHeartbeat",
            at_once=0,
            steady=_beats(loads, slots),
            when="all slots busy",
            bucket=bucket,
        ),
        Demand(
            api="SendTaskSuccess, SendTaskFailure",
            at_once=slots,
            steady=tasks,
            when="one a task" if tasks is None else "at the rate limit",
            bucket=bucket,
        ),
    ]


async def survey(registry: Registry, settings: Settings) -> tuple[list[Demand], str | None]:
    """What a worker of `registry` would ask, and of which region; without a region, as in a smaller one."""
    connection = await connect(settings)
    region: str | None = connection.session.get_config_variable("region")
    found = activities(registry, settings, Place("aws", region or "", ""))
    return demands(found, region, budget=settings.budget), region


def excesses(found: Iterable[Demand]) -> list[str]:
    """A sentence for each bucket that one worker alone overflows."""
    return [_sentence(demand) for demand in found if demand.share > 1]


def _beats(loads: list[Load], slots: int) -> float:
    """Heartbeats a second when `slots` tasks run, of the activities that beat most often."""
    beats, left = 0.0, slots
    for load in sorted((load for load in loads if load.heartbeat), key=lambda load: load.heartbeat):
        running = min(load.concurrency, left)
        beats += running / load.heartbeat
        left -= running
    return beats


def _sentence(demand: Demand) -> str:
    if demand.at_once > demand.bucket.size:
        return f"{demand.api}: {demand.at_once:,} calls at once, the bucket holds {demand.bucket.size:,}"
    return f"{demand.api}: {demand.steady:,.0f} calls a second, {demand.bucket.refill:,} flow back"
