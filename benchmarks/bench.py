"""How fast workers are: ours on both clients, hand-written loops, threads; and other projects, with --peers.

    python benchmarks/bench.py              the short form: three minutes
    python benchmarks/bench.py --full       1 to 256 pollers, with and without service time, more rounds
    python benchmarks/bench.py --peers DIR  heaviside, stefuna and sfini, installed in the environment DIR

Every client takes its turn in each round, so that a machine that becomes slower is slower for all; what counts are the
ratios within a table. Numbers, tables and the plot go to build/bench; --publish puts them into the documentation.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Any

from harness import BUILD, HERE, Stub, client, cpu_seconds, resident_mb, stub, tls_stub
from tables import publish, write_tables

OURS = ["worker", "bare fast client", "worker, stock client"]
LOOPS = ["aiobotocore, same settings", "aiobotocore, plain", "boto3 threads"]
PEERS = ["heaviside", "stefuna", "sfini"]
Row = dict[str, Any]


def race(names: list[str], pollers: int, options: argparse.Namespace, delay: float = 0.0) -> list[Row]:
    """A row for each client: medians over the rounds."""
    found: dict[str, list[Row]] = defaultdict(list)
    for _ in range(options.rounds):
        for name in names:
            with stub() as served:
                found[name].append(turn(served, name, pollers, options, delay))
    return [
        {
            "client": name,
            "pollers": pollers,
            "delay_ms": delay * 1000,
            **{key: median(row[key] for row in rows) for key in rows[0]},
        }
        for name, rows in found.items()
    ]


def turn(served: Stub, name: str, pollers: int, options: argparse.Namespace, delay: float) -> Row:
    """One round of one client: as many tasks as it does in about `options.seconds`, after others to warm it up."""
    python = {"script": "peers.py", "python": f"{options.peers}/bin/python"} if name in PEERS else {}
    with client(name, served.url, pollers, **python) as pid:
        served.wait_for_polls(min(pollers, 8) if name != "stefuna" else 1)
        served.run(max(200, 4 * pollers), delay=delay)
        rate = 300 / served.run(300, delay=delay)["seconds"]
        tasks = max(300, int(rate * options.seconds))
        before = cpu_seconds(pid)
        stats = served.run(tasks, delay=delay)
        assert not stats["twice"], stats
        return {
            "rate": tasks / stats["seconds"],
            "cpu_ms": (cpu_seconds(pid) - before) / tasks * 1000,
            "p50_ms": stats["p50_ms"],
            "p99_ms": stats["p99_ms"],
            "memory_mb": resident_mb(pid),
        }


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
        served.wait(lambda stats: stats["handed"] >= tasks)
        time.sleep(2)
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


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--full", action="store_true")
    parser.add_argument("--peers", type=Path, metavar="DIR")
    parser.add_argument("--publish", action="store_true")
    options = parser.parse_args()
    options.rounds, options.seconds = (5, 2.0) if options.full else (2, 1.0)
    results: dict[str, Any] = {"machine": machine(), "rows": [], "others": []}
    with stub() as served:
        results["others"].append({"what": "calls a second that the stub answers, at least", "number": limit(served)})
    if options.peers:
        names = ["worker", "aiobotocore, plain", *PEERS]
        results["rows"] += race(names, 8, options)
    else:
        for pollers in (1, 8, 64, 256) if options.full else (8, 64):
            results["rows"] += race(OURS + LOOPS, pollers, options)
        for pollers in (1, 8, 64, 256) if options.full else (64,):
            results["rows"] += race(OURS + LOOPS if options.full else [OURS[0], LOOPS[1]], pollers, options, delay=0.02)
        others = results["others"]
        others += [heartbeats(name, 5.0) for name in ("beating", "beating, stock client")]
        with stub() as served:
            others.append(idle(served, "plain HTTP"))
        with tls_stub() as served:
            others.append(idle(served, "TLS"))
        others += startup(3)
    BUILD.mkdir(parents=True, exist_ok=True)
    name = "peers" if options.peers else "bench"
    (BUILD / f"{name}.json").write_text(json.dumps(results, indent=2))
    write_tables(results, name)
    if options.publish:
        publish(name)


if __name__ == "__main__":
    main()
