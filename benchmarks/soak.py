"""Whether a worker grows: ten minutes at half of what it can do, and its memory minute by minute.

python benchmarks/soak.py [--minutes 10] [--client fast]
"""

import argparse
import time
from statistics import median

from harness import client, cpu_seconds, resident_mb, stub
from rich.console import Console

console = Console()
POLLERS = 8


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=int, default=10)
    parser.add_argument("--client", choices=("fast", "botocore"), default="fast")
    options = parser.parse_args()
    name = "soak" if options.client == "fast" else "soak, stock client"
    with stub() as served, client(name, served.url, POLLERS) as pid:
        served.wait_for_polls(POLLERS)
        served.run(1_000)
        most = 3_000 / served.run(3_000)["seconds"]
        each = int(most / 2)
        console.print(f"{most:.0f} tasks/s at most; {each} tasks each second for {options.minutes} minutes")
        minutes: list[list[float]] = [[] for _ in range(options.minutes)]
        begun, before = time.monotonic(), cpu_seconds(pid)
        for second in range(options.minutes * 60):
            stats = served.run(each)
            if stats["twice"]:
                raise SystemExit(f"reported twice: {stats}")
            minutes[second // 60].append(resident_mb(pid))
            time.sleep(max(0.0, begun + second + 1 - time.monotonic()))
        held = [median(minute) for minute in minutes]
        busy = (cpu_seconds(pid) - before) / (time.monotonic() - begun)
    for number, memory in enumerate(held, 1):
        console.print(f"minute {number}: {memory:.2f} MB")
    console.print(f"{busy:.0%} of a core; the last minute {held[-1] / held[1] - 1:+.2%} against the second")


if __name__ == "__main__":
    main()
