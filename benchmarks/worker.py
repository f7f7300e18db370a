"""What the supervisor costs: against hand-written loops with the same client, in one run.

    python benchmarks/worker.py [--rounds 5] [--tasks 1500]

Prints tasks/s, CPU seconds per 1,000 tasks and their ratios; then heartbeats and idle polls. About three minutes.
"""

import argparse
import time
from contextlib import ExitStack
from statistics import median

from harness import Stub, client, cpu_seconds, resident_mb, stub
from rich.console import Console
from rich.table import Table

NAMES = [
    "worker",
    "bare fast client",
    "worker, stock client",
    "aiobotocore, same settings",
    "aiobotocore, plain",
    "boto3 threads",
]
console = Console()


def race(served: Stub, pollers: int, rounds: int, tasks: int, delay: float = 0.0) -> None:
    """Interleaved rounds: every client takes its turn in each, the others sleep in their polls' absence."""
    rates: dict[str, list[float]] = {name: [] for name in NAMES}
    costs: dict[str, list[float]] = {name: [] for name in NAMES}
    tails: dict[str, list[float]] = {name: [] for name in NAMES}
    for number in range(rounds + 1):  # the first is for warming up
        for name in NAMES:
            with client(name, served.port, pollers) as pid:
                served.wait_for_polls(min(pollers, 8))
                served.run(min(200, tasks), delay=delay)
                before = cpu_seconds(pid)
                stats = served.run(tasks, delay=delay)
                if number:
                    rates[name].append(tasks / stats["seconds"])
                    costs[name].append((cpu_seconds(pid) - before) / tasks * 1000)
                    tails[name].append(stats["p99_ms"])
            served.wait(lambda stats: not stats["open_polls"])
    table = Table(title=f"{pollers} pollers, {delay * 1000:g} ms a call, {tasks} tasks, median of {rounds} rounds")
    for column in ("client", "tasks/s", "to plain", "CPU s / 1,000", "to plain", "p99 ms"):
        table.add_column(column, justify="left" if column == "client" else "right")
    base = "aiobotocore, plain"
    for name in NAMES:
        rate, cost = median(rates[name]), median(costs[name])
        table.add_row(
            name,
            f"{rate:.0f}",
            f"{rate / median(rates[base]):.2f}",
            f"{cost:.3f}",
            f"{cost / median(costs[base]):.2f}",
            f"{median(tails[name]):.1f}",
        )
    console.print(table)
    over = median(costs["worker, stock client"]) / median(costs["aiobotocore, same settings"])
    own = (median(costs["worker"]) - median(costs["bare fast client"])) * 1000
    console.print(f"stock worker over the loop with the same settings: {over:.2f} x CPU")
    console.print(f"fast worker over its bare client: {own:.0f} microseconds of CPU a task\n")


def limit(served: Stub) -> None:
    """How many calls the stub itself can answer, from raw sockets."""
    import socket

    request = (
        b"POST / HTTP/1.1\r\nhost: x\r\nx-amz-target: AWSStepFunctions.SendTaskHeartbeat\r\ncontent-length: 2\r\n\r\n{}"
    )
    with socket.create_connection(("127.0.0.1", served.port)) as sock:
        calls, begun = 0, time.perf_counter()
        while time.perf_counter() - begun < 1.5:
            sock.sendall(request * 50)
            got = 0
            while got < 50:
                got += sock.recv(1 << 16).count(b"HTTP/1.1")
            calls += 50
    console.print(f"the stub alone: {calls / (time.perf_counter() - begun):,.0f} calls/s\n")


def heartbeats(served: Stub, name: str, tasks: int = 1_000) -> None:
    with client(name, served.port, 8) as pid:
        served.wait_for_polls(8)
        served.ask("/load", {"tasks": tasks, "interval": 1.0})
        served.wait(lambda stats: stats["handed"] >= tasks)
        time.sleep(3)
        before, first, begun = cpu_seconds(pid), served.ask("/stats")["beats"], time.monotonic()
        time.sleep(8)
        seconds = time.monotonic() - begun
        stats = served.ask("/stats")
        share = (cpu_seconds(pid) - before) / seconds
        rate = (stats["beats"] - first) / seconds
    console.print(
        f"{name}: {tasks} tasks each second: {share:.0%} of a core, {rate:.0f} beats/s, "
        f"p99 lateness {stats['late_p99_ms']:.0f} ms\n"
    )


def idle(served: Stub, polls: int = 1_000) -> None:
    sizes = []
    for number in (1, polls):
        with client("idle", served.port, number) as pid:
            served.wait_for_polls(number)
            time.sleep(1)
            before = cpu_seconds(pid)
            time.sleep(3)
            sizes.append(resident_mb(pid))
            busy = (cpu_seconds(pid) - before) / 3
        served.wait(lambda stats: not stats["open_polls"])
    console.print(
        f"{polls} idle polls: {sizes[1] - sizes[0]:.1f} MB above one poll ({sizes[0]:.0f} MB), {busy:.1%} CPU"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--tasks", type=int, default=1_500)
    options = parser.parse_args()
    with ExitStack() as stack:
        served = stack.enter_context(stub())
        limit(served)
        for pollers in (8, 64):
            race(served, pollers, options.rounds, options.tasks)
        race(served, 8, options.rounds, options.tasks // 5, delay=0.02)
        heartbeats(served, "beating")
        heartbeats(served, "beating, stock client")
        idle(served)


if __name__ == "__main__":
    main()
