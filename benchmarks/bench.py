"""How fast workers are: ours on both clients, hand-written loops, threads; and other projects, with --peers.

    python benchmarks/bench.py              the short form: three minutes
    python benchmarks/bench.py --full       1 to 256 pollers, with and without service time; payloads, engine, dev loop
    python benchmarks/bench.py --peers DIR  heaviside, stefuna and sfini, installed in the environment DIR

What counts are the ratios within a table; race.py says how they are measured. Numbers, tables and the plot go to
build/bench; --publish puts them into the documentation.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Any

from harness import BUILD, HERE, Stub, client, cpu_seconds, resident_mb, stub, tls_stub
from race import BASE, LOOPS, OURS, PEERS, race
from tables import publish, write_tables

FIGURES = [["payloads.py", "--rounds", "4"], ["engine.py"], ["dev.py", "8"]]
"""Other benchmarks, in a short form, whose figures --full takes over."""
Row = dict[str, Any]


def limit(served: Stub) -> float:
    """Calls a second that the stub answers at least: as many as one Python process can ask for, 50 at a time."""
    import socket

    request = (
        b"POST / HTTP/1.1\r\nhost: x\r\nx-amz-target: AWSStepFunctions.SendTaskHeartbeat\r\ncontent-length: 2\r\n\r\n{}"
    )
    with socket.create_connection(("127.0.0.1", served.port)) as sock:
        calls, begun = 0, time.perf_counter()
        while time.perf_counter() - begun < 1.0:
            sock.sendall(request * 50)
            got = 0
            while got < 50:
                got += sock.recv(1 << 16).count(b"HTTP/1.1")
            calls += 50
        return calls / (time.perf_counter() - begun)


def heartbeats(name: str, seconds: float, tasks: int = 1_000) -> Row:
    with stub() as served, client(name, served.url, 8) as pid:
        served.wait_for_polls(8)
        served.ask("/load", {"tasks": tasks, "interval": 1.0})
        served.wait(lambda stats: stats["beats"] >= tasks)  # they have come all at once, and spread only when they beat
        time.sleep(1)
        served.ask("/forget", {})
        before, first, begun = cpu_seconds(pid), served.ask("/stats")["beats"], time.monotonic()
        time.sleep(seconds)
        passed = time.monotonic() - begun
        stats = served.ask("/stats")
        return {
            "what": f"1,000 tasks beating each second: {name}",
            "core": (cpu_seconds(pid) - before) / passed,
            "beats_s": (stats["beats"] - first) / passed,
            "late_p99_ms": stats["late_p99_ms"],
        }


def idle(served: Stub, kind: str, polls: int = 1_000) -> Row:
    sizes, busy = [], 0.0
    for number in (1, polls):
        with client("idle", served.url, number) as pid:
            served.wait_for_polls(number)
            time.sleep(1)
            before = cpu_seconds(pid)
            time.sleep(2)
            sizes.append(resident_mb(pid))
            busy = (cpu_seconds(pid) - before) / 2
        served.wait(lambda stats: not stats["open_polls"])
    return {
        "what": f"1,000 idle polls over {kind}",
        "mb_above_one": sizes[1] - sizes[0],
        "kb_each": (sizes[1] - sizes[0]) * 1000 / polls,
        "core": busy,
    }


def startup(rounds: int) -> Iterator[Row]:
    """Seconds until `from workers import Registry` is there, and until `workers run` has opened its first poll."""
    # As after an installation: with bytecode, also where the shell or `pip install --no-compile` keeps none.
    os.environ["PYTHONPYCACHEPREFIX"] = str(BUILD / "bytecode")
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    _timed([sys.executable, "-m", "workers", "run", "clients:registry", "--print-settings"], cwd=HERE)
    imports = [_timed([sys.executable, "-c", "from workers import Registry, Worker"]) for _ in range(rounds)]
    bare = [_timed([sys.executable, "-c", "pass"]) for _ in range(rounds)]
    yield {"what": "import of Registry and Worker", "seconds": median(imports) - median(bare)}
    first = []
    for _ in range(rounds):
        with stub() as served:
            keys = dict.fromkeys(("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"), "x")
            environment = {**os.environ, **keys, "AWS_ENDPOINT_URL": served.url, "AWS_REGION": "us-east-1"}
            command = [sys.executable, "-m", "workers", "run", "clients:registry", "--account", "123456789012"]
            begun = time.perf_counter()
            with subprocess.Popen(command, cwd=HERE, env=environment, stderr=subprocess.DEVNULL) as process:
                while not served.ask("/stats")["open_polls"]:
                    time.sleep(0.005)
                first.append(time.perf_counter() - begun)
                process.kill()
    yield {"what": "workers run until its first poll is open", "seconds": median(first)}


def _timed(command: list[str], cwd: Path | None = None) -> float:
    begun = time.perf_counter()
    subprocess.run(command, cwd=cwd, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - begun


def machine() -> str:
    """The date, and what it ran on."""
    model = next((line for line in Path("/proc/cpuinfo").read_text().splitlines() if "model name" in line), ": unknown")
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    when = datetime.now(UTC).date().isoformat()
    return (
        f"{when}, {os.cpu_count()} cores ({model.partition(': ')[2]}), {memory:.0f} GiB, Linux {platform.release()}, "
        f"Python {platform.python_version()}; one core for the client, one for the stub"
    )


def others() -> Iterator[Row]:
    """What is measured beside the race."""
    for name in ("beating", "beating, stock client"):
        yield heartbeats(name, 5.0)
    with stub() as served:
        yield idle(served, "plain HTTP")
    with tls_stub() as served:
        yield idle(served, "TLS")
    yield from startup(5)


def figures(script: str, *arguments: str) -> list[Row]:
    """The figures of another benchmark."""
    command = [sys.executable, str(HERE / script), *arguments, "--json"]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, cwd=HERE.parent)
    return list(json.loads(done.stdout))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--full", action="store_true")
    parser.add_argument("--peers", type=Path, metavar="DIR")
    parser.add_argument("--publish", action="store_true")
    options = parser.parse_args()
    options.rounds = 9 if options.full else 6
    with stub() as served:
        found = [{"what": "calls a second that the stub answers, at least", "number": limit(served)}]
    results: dict[str, Any] = {"machine": machine(), "rows": [], "costs": [], "others": found}
    for names, pollers, delay in groups(options):
        rows, costs = race(names, pollers, delay, options)
        results["rows"] += rows
        results["costs"] += costs
    if not options.peers:
        found += others()
    if options.full:
        for benchmark in FIGURES:
            found += figures(*benchmark)
    BUILD.mkdir(parents=True, exist_ok=True)
    name = "peers" if options.peers else "bench"
    (BUILD / f"{name}.json").write_text(json.dumps(results, indent=2))
    write_tables(results, name)
    if options.publish:
        publish(name)


def groups(options: argparse.Namespace) -> list[tuple[list[str], int, float]]:
    """Who is measured, at how many pollers, with how many seconds of service time."""
    if options.peers:
        return [(["worker", BASE, *PEERS], 8, 0.0)]
    if options.full:
        return [(OURS + LOOPS, pollers, delay) for delay in (0.0, 0.02) for pollers in (1, 8, 64, 256)]
    return [(OURS + LOOPS, 8, 0.0), (OURS + LOOPS, 64, 0.0), ([OURS[0], BASE], 64, 0.02)]


if __name__ == "__main__":
    main()
