"""Clients against each other: all stand ready, each at a stub of its own, and take turns in short stints.

A stint is half a second in the midst of endless work. So what makes the machine slower for a while slows all of them
down, and what is compared was measured within the same seconds: a ratio is the median of the ratios of the rounds.
"""

import argparse
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from statistics import median
from typing import Any

from harness import Stub, client, cpu_seconds, peak_mb, stub

OURS = ["worker", "bare fast client", "worker, stock client"]
LOOPS = ["aiobotocore, same settings", "aiobotocore, plain", "boto3 threads"]
PEERS = ["heaviside", "stefuna", "sfini"]
BASE = "aiobotocore, plain"
SECONDS = 0.5
"""A stint takes; where calls take their time, twice as long, and there are half as many."""
ENDLESS = 10**9
"""Tasks, more than are done in a stint."""
Row = dict[str, Any]


@dataclass
class Contestant:
    """A client between two stints."""

    name: str
    served: Stub
    pid: int
    polls: int
    """That it keeps open while there is nothing to do."""
    stints: list[Row] = field(default_factory=list)

    def stint(self, delay: float, seconds: float) -> Row:
        """What it does in so many seconds in the midst of its work, and not what begins or ends that."""
        self.served.ask("/load", {"tasks": ENDLESS, "delay": delay})
        self.served.wait(lambda stats: stats["done"] >= 2 * self.polls)
        self.served.ask("/forget", {})
        before, first, begun = cpu_seconds(self.pid), self.served.ask("/stats")["done"], time.monotonic()
        time.sleep(seconds)
        stats, used, ended = self.served.ask("/stats"), cpu_seconds(self.pid) - before, time.monotonic()
        assert not stats["twice"], stats
        self.served.ask("/load", {"tasks": 0})
        self.served.wait_for_polls(self.polls)
        tasks = max(1, stats["done"] - first)
        return {
            "rate": tasks / (ended - begun),
            "cpu_ms": used / tasks * 1000,
            "p50_ms": stats["p50_ms"],
            "p99_ms": stats["p99_ms"],
        }


def race(names: list[str], pollers: int, delay: float, options: argparse.Namespace) -> tuple[list[Row], list[Row]]:
    """A row for each client, and one for what the worker costs above its clients, where those run too."""
    with _started(names, pollers, options) as contestants:
        for one in contestants:
            one.served.wait_for_polls(one.polls)
            one.stint(delay, SECONDS)  # it loads the rest of its code, and opens its connections
        for _ in range(options.rounds if not delay else options.rounds // 2 + 1):
            for one in contestants:  # always in this order: late reports of one stint must not come in its next one
                one.stints.append(one.stint(delay, SECONDS if not delay else 2 * SECONDS))
        memory = {one.name: peak_mb(one.pid) for one in contestants}
    group = {"pollers": pollers, "delay_ms": delay * 1000}
    stints = {one.name: one.stints for one in contestants}
    rows = [
        {
            "client": name,
            **group,
            **{key: median(row[key] for row in found) for key in found[0]},
            "rate_to_plain": _median(lambda a, b: a / b, found, stints[BASE], "rate"),
            "cpu_to_plain": _median(lambda a, b: a / b, found, stints[BASE], "cpu_ms"),
            "memory_mb": memory[name],
        }
        for name, found in stints.items()
    ]
    return rows, [{**group, **_own_cost(stints)}] if set(OURS) <= stints.keys() else []


def _own_cost(stints: dict[str, list[Row]]) -> Row:
    """Of the worker, above each of its clients: microseconds of CPU a task, and how many times its CPU."""
    worker, bare, stock = (stints[name] for name in OURS)
    return {
        "own_us": _median(lambda a, b: (a - b) * 1000, worker, bare, "cpu_ms"),
        "stock_times": _median(lambda a, b: a / b, stock, stints[LOOPS[0]], "cpu_ms"),
    }


def _median(compare: Callable[[float, float], float], first: list[Row], second: list[Row], key: str) -> float:
    """The median of a comparison that is made within each round."""
    return median(compare(one[key], other[key]) for one, other in zip(first, second, strict=True))


@contextmanager
def _started(names: list[str], pollers: int, options: argparse.Namespace) -> Iterator[list[Contestant]]:
    with ExitStack() as stack:
        contestants = []
        for name in names:
            served = stack.enter_context(stub())
            python = {"script": "peers.py", "python": f"{options.peers}/bin/python"} if name in PEERS else {}
            pid = stack.enter_context(client(name, served.url, pollers, **python))
            contestants.append(Contestant(name, served, pid, polls=1 if name == "stefuna" else pollers))
        yield contestants
