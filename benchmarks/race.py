"""Clients against each other: all stand ready, each at a stub of its own, and take turns in short stints.

A stint is half a second. So what makes the machine slower for a while slows all of them down, and what is compared was
measured within the same seconds: a ratio is the median of the ratios of the rounds.
"""

import argparse
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
LEAST = 20
"""Tasks in a stint."""
SURE = 0.2
"""Seconds that the tasks take from which the number for a stint is worked out."""
Row = dict[str, Any]


@dataclass
class Contestant:
    """A client between two stints."""

    name: str
    served: Stub
    pid: int
    tasks: int = LEAST
    """Of a stint."""
    stints: list[Row] = field(default_factory=list)

    def warm_up(self, pollers: int, delay: float, seconds: float) -> None:
        """Lets it open its connections, and finds out how many tasks it does in about `seconds`."""
        self.served.wait_for_polls(min(pollers, 8) if self.name != "stefuna" else 1)
        tasks = max(LEAST, 4 * pollers)
        self.served.run(tasks, delay=delay)
        while (took := self.served.run(tasks, delay=delay)["seconds"]) < SURE:
            tasks *= 2
        self.tasks = max(LEAST, round(tasks / took * seconds))

    def stint(self, delay: float) -> None:
        before = cpu_seconds(self.pid)
        stats = self.served.run(self.tasks, delay=delay)
        assert not stats["twice"], stats
        self.stints.append(
            {
                "rate": self.tasks / stats["seconds"],
                "cpu_ms": (cpu_seconds(self.pid) - before) / self.tasks * 1000,
                "p50_ms": stats["p50_ms"],
                "p99_ms": stats["p99_ms"],
            }
        )


def race(names: list[str], pollers: int, delay: float, options: argparse.Namespace) -> tuple[list[Row], list[Row]]:
    """A row for each client, and one for what the worker costs above its clients, where those run too."""
    with _started(names, pollers, options) as contestants:
        for one in contestants:
            one.warm_up(pollers, delay, options.seconds)
        for number in range(options.rounds):
            for one in contestants if number % 2 else contestants[::-1]:
                one.stint(delay)
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
            contestants.append(Contestant(name, served, pid))
        yield contestants
