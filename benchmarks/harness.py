"""Starting stub and clients, each on a core of its own where there are two, and measuring what they use."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
BUILD = HERE.parent / "build" / "bench"
TICKS = os.sysconf("SC_CLK_TCK")
PAGE = os.sysconf("SC_PAGE_SIZE")


def _pin(core: int) -> Any:
    cores = sorted(os.sched_getaffinity(0))
    return lambda: os.sched_setaffinity(0, {cores[core % len(cores)]})


class Stub:
    def __init__(self, port: int, url: str) -> None:
        self.port = port
        self.url = url
        """Where clients connect; orders go to the port."""

    def ask(self, path: str, order: dict[str, Any] | None = None) -> dict[str, Any]:
        body = json.dumps(order).encode() if order is not None else None
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", body, timeout=30) as answer:
            return dict(json.load(answer))

    def run(self, tasks: int, **order: Any) -> dict[str, Any]:
        """Hands out `tasks` and waits until they are done."""
        self.ask("/load", {"tasks": tasks, **order})
        return self.wait(lambda stats: stats["done"] >= tasks)

    def wait(self, reached: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """Waits until the stub's numbers are as wanted; a client that has died must not hang the benchmark."""
        end = time.monotonic() + 120
        while not reached(stats := self.ask("/stats")):
            if time.monotonic() > end:
                raise SystemExit(f"the client does not get on: {stats}")
            time.sleep(0.02)
        return stats

    def wait_for_polls(self, number: int) -> None:
        self.wait(lambda stats: stats["open_polls"] >= number)


def _stub_command() -> list[str]:
    """The stub in C, compiled at first use, where there is a gcc; else the one in Python."""
    source, binary = HERE / "stub.c", BUILD / "stub"
    if (compiler := shutil.which("gcc")) and (not binary.exists() or binary.stat().st_mtime < source.stat().st_mtime):
        BUILD.mkdir(parents=True, exist_ok=True)
        subprocess.run([compiler, "-O2", "-o", str(binary), str(source)], check=True)
    return [str(binary)] if compiler else [sys.executable, str(HERE / "stub.py")]


@contextmanager
def stub() -> Iterator[Stub]:
    with _started(_stub_command()) as ports:
        yield Stub(ports[0], f"http://127.0.0.1:{ports[0]}")


@contextmanager
def tls_stub() -> Iterator[Stub]:
    """The stub in Python, which also listens with TLS; clients trust its certificate by AWS_CA_BUNDLE."""
    with _started([sys.executable, str(HERE / "stub.py"), "--tls", str(BUILD)]) as ports:
        yield Stub(ports[0], f"https://localhost:{ports[1]}")


@contextmanager
def _started(command: list[str]) -> Iterator[list[int]]:
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, preexec_fn=_pin(1)) as process:
        assert process.stdout
        try:
            yield [int(port) for port in process.stdout.readline().split()]
        finally:
            process.kill()


def show(rows: list[dict[str, Any]], *, as_json: bool) -> None:
    """Prints the figures of a benchmark: for people, or for bench.py."""
    if as_json:
        print(json.dumps(rows))
        return
    width = max(len(row["what"]) for row in rows)
    for row in rows:
        print(f"{row['what']:{width}}  {row['shown']}")


@contextmanager
def client(
    name: str,
    url: str,
    pollers: int,
    *,
    script: str = "clients.py",
    python: str = sys.executable,
    environment: Mapping[str, str] | None = None,
) -> Iterator[int]:
    """Runs one of the clients, in a session of its own; gives its pid."""
    command = [python, str(HERE / script), name, url, str(pollers)]
    environment = {**os.environ, "AWS_CA_BUNDLE": str(BUILD / "certificate.pem"), **(environment or {})}
    if not url.startswith("https"):
        del environment["AWS_CA_BUNDLE"]
    with subprocess.Popen(command, preexec_fn=_pin(0), env=environment, start_new_session=True) as process:
        try:
            yield process.pid
        finally:
            os.killpg(process.pid, signal.SIGKILL)


def _session(leader: int) -> Iterator[tuple[Path, list[str]]]:
    """What /proc says of the process and of all that it started."""
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                fields = (folder / "stat").read_text().rpartition(")")[2].split()
            except OSError:  # it has ended meanwhile
                continue
            if int(fields[3]) == leader:
                yield folder, fields


def cpu_seconds(pid: int) -> float:
    """CPU that a client has used, with its children, also those that have ended."""
    used = 0.0
    for folder, fields in _session(pid):
        with suppress(OSError):  # the process's own clock, CPUCLOCK_SCHED: /proc counts in hundredths of a second
            used += time.clock_gettime((~int(folder.name) << 3) | 2)
        used += (int(fields[13]) + int(fields[14])) / TICKS
    return used


def resident_mb(pid: int) -> float:
    return sum(int(fields[21]) for _, fields in _session(pid)) * PAGE / 1e6


def peak_mb(pid: int) -> float:
    """The most memory that each of its processes has had."""
    lines = [line for folder, _ in _session(pid) for line in (folder / "status").read_text().splitlines()]
    return sum(int(line.split()[1]) for line in lines if line.startswith("VmHWM:")) * 1024 / 1e6
