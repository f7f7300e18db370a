"""Starting stub and clients, each on a core of its own where there are two, and measuring what they use."""

import json
import os
import shutil
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
TICKS = os.sysconf("SC_CLK_TCK")


def _pin(core: int) -> Any:
    cores = sorted(os.sched_getaffinity(0))
    return lambda: os.sched_setaffinity(0, {cores[core % len(cores)]})


class Stub:
    def __init__(self, port: int, pid: int) -> None:
        self.port = port
        self.pid = pid

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
    source, binary = HERE / "stub.c", HERE.parent / "build" / "stub"
    if (compiler := shutil.which("gcc")) and (not binary.exists() or binary.stat().st_mtime < source.stat().st_mtime):
        binary.parent.mkdir(exist_ok=True)
        subprocess.run([compiler, "-O2", "-o", str(binary), str(source)], check=True)
    return [str(binary)] if compiler else [sys.executable, str(HERE / "stub.py")]


@contextmanager
def stub() -> Iterator[Stub]:
    command = _stub_command()
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, preexec_fn=_pin(1)) as process:
        assert process.stdout
        try:
            yield Stub(int(process.stdout.readline()), process.pid)
        finally:
            process.kill()


@contextmanager
def client(name: str, port: int, pollers: int) -> Iterator[int]:
    """Runs one of the clients; gives its pid."""
    command = [sys.executable, str(HERE / "clients.py"), name, str(port), str(pollers)]
    with subprocess.Popen(command, preexec_fn=_pin(0)) as process:
        try:
            yield process.pid
        finally:
            process.kill()


def cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def resident_mb(pid: int) -> float:
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6
