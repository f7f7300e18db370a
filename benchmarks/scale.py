"""What a load asks of an account: workers, polls, heartbeats, and the seconds in which AWS throttles.

    python benchmarks/scale.py                  the table of docs/explanation/scale.md
    python benchmarks/scale.py --handler 300    with handlers of five minutes

Ten minutes are played, second by second: tasks come at random around their rate, each is polled, beaten for and
reported, and each call takes a token from the account's bucket of that API (Step Functions service quotas; size and
refill per second). The same seed gives the same table.
"""

import argparse
import math
import random
from dataclasses import dataclass

BUCKETS = {"large": (3_000, 500), "other": (1_500, 300)}
"""Size and refill of GetActivityTask, SendTaskHeartbeat and reports: in us-east-1, us-west-2 and eu-west-1, and in
all other regions."""
POLL_HOLD = 60
SECONDS = 600
RATES = (1_000, 3_000, 10_000, 18_000, 30_000, 100_000)


@dataclass(frozen=True, slots=True)
class Fleet:
    """What is deployed."""

    handler: float
    """Seconds that a task takes."""
    heartbeat: float
    slots: int
    """Of one worker; seven in ten are meant to be in use."""
    activities: int


def workers(rate: float, fleet: Fleet) -> int:
    """How many a rate (tasks per second) needs."""
    return max(1, math.ceil(rate * fleet.handler / (0.7 * fleet.slots)))


def calls(rate: float, fleet: Fleet) -> dict[str, float]:
    """Calls per second, on average: each task is polled and reported once; idle polls come back after a minute."""
    idle = workers(rate, fleet) * fleet.activities / POLL_HOLD
    beats = rate * math.floor(fleet.handler / fleet.heartbeat) if fleet.handler > fleet.heartbeat else 0.0
    return {"polls": rate + idle, "beats": beats, "reports": rate}


def throttled(mean: float, bucket: tuple[int, int], random_: random.Random) -> float:
    """The share of calls that find the bucket empty."""
    size, refill = bucket
    tokens, asked, refused = float(size), 0, 0
    for _ in range(SECONDS):
        tokens = min(size, tokens + refill)
        count = max(0, round(random_.gauss(mean, math.sqrt(mean)))) if mean else 0
        taken = min(count, int(tokens))
        tokens -= taken
        asked, refused = asked + count, refused + count - taken
    return refused / asked if asked else 0.0


def accounts(rate: float, fleet: Fleet, region: str) -> int:
    """How many accounts or regions share the load without being throttled all the time."""
    return max(math.ceil(count / BUCKETS[region][1]) for count in calls(rate, fleet).values())


def table(fleet: Fleet) -> list[str]:
    """The table, in Markdown."""
    lines = [
        "| tasks a minute | workers | polls/s | beats/s | reports/s | throttled, large region | other | accounts |",
        "|--:|--:|--:|--:|--:|--:|--:|--:|",
    ]
    for per_minute in RATES:
        rate = per_minute / 60
        asked = calls(rate, fleet)
        shares = []
        for bucket in BUCKETS.values():
            dice = random.Random(1)
            shares.append(max(throttled(count, bucket, dice) for count in asked.values()))
        cells = [
            f"{per_minute:,}",
            f"{workers(rate, fleet):,}",
            *(f"{count:,.0f}" for count in asked.values()),
            *(f"{share:.0%}" for share in shares),
            f"{accounts(rate, fleet, 'large')} or {accounts(rate, fleet, 'other')}",
        ]
        lines.append(f"| {' | '.join(cells)} |")
    return lines


def main() -> None:
    """Prints it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--handler", type=float, default=10.0, help="seconds that a task takes (default: 10)")
    parser.add_argument("--heartbeat", type=float, default=15.0, help="seconds between heartbeats (default: 15)")
    parser.add_argument("--slots", type=int, default=50, help="slots of a worker (default: 50)")
    parser.add_argument("--activities", type=int, default=5, help="activities of a worker (default: 5)")
    given = parser.parse_args()
    print("\n".join(table(Fleet(given.handler, given.heartbeat, given.slots, given.activities))))


if __name__ == "__main__":
    main()
