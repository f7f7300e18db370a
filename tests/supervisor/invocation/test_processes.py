"""Child processes under many threads: none is handed out twice, none is left, and each can say where it is."""

import multiprocessing
import os
import pickle
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import pytest

from workers.supervisor.invocation import processes
from workers.supervisor.invocation.dumps import read_stack
from workers.supervisor.invocation.processes import HandlerCrashedError, Process, Processes


def spin(begun: str, go: str) -> str:
    Path(begun).touch()
    while not Path(go).exists():
        sum(range(1_000))
    return "done"


def deep(levels: int, begun: str, go: str) -> str:
    return deep(levels - 1, begun, go) if levels else spin(begun, go)


def nap(seconds: float) -> int:
    time.sleep(seconds)
    return os.getpid()


def tell_blocked(pipe: Connection, *_: Any) -> None:
    """A child's life that only answers which signals it was started without."""
    pipe.send_bytes(pickle.dumps((False, signal.pthread_sigmask(signal.SIG_BLOCK, ()))))


FIRST_CHILDREN = """
from tests.supervisor.invocation.test_processes import tell_blocked
from workers.supervisor.invocation import processes

processes._serve = tell_blocked
for _ in range(2):
    process = processes.Process()
    print(*map(int, sorted(process.run(int))))
    process.close()
"""


def until(condition, seconds: float = 20.0) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


def test_threads_that_take_processes_at_once_never_share_one() -> None:
    processes = Processes(recycle=1_000)
    with ThreadPoolExecutor(6) as threads:
        calls = [threads.submit(processes.lease(partial(nap, 0.02)).run) for _ in range(60)]
        pids = [call.result() for call in calls]
    assert 1 <= len(set(pids)) <= 6
    assert len(processes._idle) == len(set(pids))
    assert not processes._busy
    processes.close()
    for pid in set(pids):
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)


def test_a_call_that_is_given_up_late_leaves_the_next_one_of_its_process_alone(tmp_path: Path) -> None:
    processes = Processes(recycle=1_000)
    begun, go = tmp_path / "begun", tmp_path / "go"
    first, second = processes.lease(os.getpid), processes.lease(partial(spin, str(begun), str(go)))
    pid = first.run()
    with ThreadPoolExecutor(1) as threads:
        call = threads.submit(second.run)
        try:
            until(begun.exists)
            assert second.process
            assert second.process._process.pid == pid
            first.kill()
        finally:
            go.touch()
        assert call.result() == "done"
    processes.close()


def test_a_call_that_comes_after_the_end_starts_nothing_that_stays() -> None:
    processes = Processes(recycle=1_000)
    processes.close()
    with pytest.raises(HandlerCrashedError, match="the worker ended before"):
        processes.lease(partial(nap, 0.0)).run()
    assert not processes._busy
    assert not processes._idle


def test_the_first_child_of_all_starts_without_signals_too() -> None:
    root = Path(__file__).parents[3]
    command = [sys.executable, "-c", FIRST_CHILDREN]  # a fresh interpreter: multiprocessing has started nothing yet
    said = subprocess.run(command, cwd=root, capture_output=True, text=True, check=True).stdout
    held = " ".join(str(int(number)) for number in sorted((signal.SIGINT, signal.SIGTERM, signal.SIGUSR1)))
    assert said.splitlines() == [held, held]


@pytest.fixture
def spinning(tmp_path: Path):
    """A process whose handler keeps a CPU busy, some calls deep."""
    process, begun, go = Process(), tmp_path / "begun", tmp_path / "go"
    with ThreadPoolExecutor(1) as threads:
        call = threads.submit(process.run, partial(deep, 2, str(begun), str(go)))
        try:
            until(begun.exists)
            yield process
        finally:
            go.touch()
            assert call.result() == "done"
            process.close()


def asked(process: Process, within: float = 10.0) -> list[str]:
    process.ask_stack()
    return process.stack(time.monotonic() + within)


def test_a_process_says_where_its_handler_is_outermost_first_and_as_often_as_it_is_asked(spinning: Process) -> None:
    for _ in range(3):
        stack = asked(spinning)
        assert [line.partition(" in ")[2] for line in stack[:3]] == [
            "deep: return deep(levels - 1, begun, go) if levels else spin(begun, go)"
        ] * 3
        assert " in spin: " in stack[3]
        assert all(line.startswith(f"{__file__}:") for line in stack[:4])


def test_a_signal_that_nobody_asked_for_does_not_disturb_the_next_answer(spinning: Process) -> None:
    assert spinning._process.pid
    for _ in range(500):  # more than the pipe holds
        os.kill(spinning._process.pid, signal.SIGUSR1)
    assert " in deep: " in asked(spinning)[0]


def test_the_end_of_a_dump_whose_beginning_was_cleared_is_not_taken_for_an_answer() -> None:
    reads, writes = multiprocessing.Pipe(duplex=False)
    frames = [(__file__, 3, "deep"), (processes.__file__, 2, "_answer"), ("<string>", 1, "<module>")]
    lines = [f'  File "{file}", line {line} in {function}\n' for file, line, function in frames]
    with reads, writes:
        os.write(writes.fileno(), "".join(lines[1:]).encode())
        with ThreadPoolExecutor(1) as threads:
            stack = threads.submit(read_stack, reads, time.monotonic() + 20)
            until(lambda: not reads.poll())
            os.write(writes.fileno(), "".join(["Stack (most recent call first):\n", *lines]).encode())
            assert [line.partition(": ")[0] for line in stack.result()] == [f"{__file__}:3 in deep"]


def test_a_process_that_is_stopped_or_has_ended_says_nothing(spinning: Process) -> None:
    assert spinning._process.pid
    os.kill(spinning._process.pid, signal.SIGSTOP)
    try:
        assert asked(spinning, within=0.05) == []
    finally:
        os.kill(spinning._process.pid, signal.SIGCONT)
    gone = Process()
    gone.close()
    assert asked(gone) == []
