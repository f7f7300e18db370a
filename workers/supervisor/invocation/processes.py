"""Processes for handlers that keep a CPU busy. One that dies fails its own task only."""

import multiprocessing
import os
import pickle
import signal
import threading
import traceback
from collections.abc import Callable
from multiprocessing import resource_tracker
from multiprocessing.connection import Connection, wait
from typing import Any

import structlog

from workers.errors import ErrorName, WorkersError
from workers.logs import chosen_logs, configure_logs
from workers.supervisor.invocation.dumps import DUMP_SIGNAL, clear, dump_on_signal, read_stack

_spawn = multiprocessing.get_context("spawn")


_IGNORED = (signal.SIGINT, signal.SIGTERM)
"""The parent drains, and what a child runs is part of what it waits for."""
_HELD = (*_IGNORED, DUMP_SIGNAL)


class HandlerCrashedError(WorkersError):
    """The process of a handler died before it had answered."""

    error_name = ErrorName.HANDLER_CRASHED


class HandlerError(WorkersError):
    """Stands for an exception that could not be brought over from a handler's process."""

    error_name: str


class Process:
    """A child process that runs one call at a time."""

    def __init__(self) -> None:
        self.calls = 0
        self._lock = threading.Lock()  # nobody may signal it while another reaps it: its id may be given anew
        self._pipe, theirs = _spawn.Pipe()
        self._dumps, dumps = _spawn.Pipe(duplex=False)
        arguments = (theirs, dumps, chosen_logs())
        self._process = _spawn.Process(target=_serve, args=arguments, name="handler process", daemon=True)
        resource_tracker.ensure_running()  # the first start would do it, and unblock what is blocked here
        # The child has its own way with these; until it has come so far they must not reach it. It inherits this.
        signal.pthread_sigmask(signal.SIG_BLOCK, _HELD)
        try:
            self._process.start()
        finally:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, _HELD)
        theirs.close()
        dumps.close()

    @property
    def usable(self) -> bool:
        """Whether it lives and waits for a call."""
        with self._lock:
            return self._process.is_alive() and not self._pipe.closed

    def run(self, call: Callable[[], Any]) -> Any:
        """What `call` returns or raises, over there. Blocks; for a handler's thread.

        Raises `HandlerCrashedError` when the process dies of a signal, of memory or by `os._exit`.
        """
        self.calls += 1
        ids = structlog.contextvars.get_contextvars()
        try:
            self._pipe.send_bytes(pickle.dumps((ids, call)))
            raised, value = pickle.loads(self._pipe.recv_bytes())  # noqa: S301 - from our own child
        except (EOFError, OSError):
            with self._lock:
                self._process.join()
            raise HandlerCrashedError(f"the handler's process {_death(self._process.exitcode)}") from None
        if raised:
            raise value
        return value

    def kill(self) -> None:
        """Ends it, whatever it does. A call that waits for it raises."""
        with self._lock:
            self._process.kill()

    def close(self) -> None:
        """Ends it and forgets it."""
        with self._lock:
            self._process.kill()
            self._process.join()
            self._pipe.close()
            self._dumps.close()

    def ask_stack(self) -> None:
        """Makes it write down where it is, for `stack` to read."""
        with self._lock:
            if not self._dumps.closed and self._process.is_alive() and self._process.pid:
                clear(self._dumps)
                os.kill(self._process.pid, DUMP_SIGNAL)

    def stack(self, until: float) -> list[str]:
        """Where it was when it was asked: lines of code, outermost first; what it says by `until` (monotonic)."""
        try:
            return read_stack(self._dumps, until)
        except (OSError, ValueError):  # closed meanwhile
            return []


class Lease:
    """One call in a process that is free, or new. `run` blocks; `kill` may come from any other thread."""

    def __init__(self, processes: "Processes", call: Callable[[], Any]) -> None:
        self._processes = processes
        self._call = call
        self._lock = threading.Lock()
        self.process: Process | None = None
        """The process that runs the call, while it does."""
        self._killed = False

    def run(self) -> Any:
        """What the call returns or raises."""
        with self._lock:
            if self._killed:
                raise HandlerCrashedError("the call was given up before it had begun")
            process = self.process = self._processes.take()
        try:
            return process.run(self._call)
        finally:
            with self._lock:
                self.process = None  # another call may have it from now on: it is no longer ours to kill
            self._processes.give_back(process)

    def kill(self) -> None:
        """Gives the call up and ends its process. Once the call has ended, this does nothing."""
        with self._lock:
            self._killed = True
            if self.process:
                self.process.kill()


class Processes:
    """Child processes, started when they are needed and kept for later calls, `recycle` calls each."""

    def __init__(self, *, recycle: int) -> None:
        self._recycle = recycle
        self._lock = threading.Lock()  # every call comes in a thread of its own
        self._closed = False
        self._idle: list[Process] = []
        self._busy: set[Process] = set()

    def lease(self, call: Callable[[], Any]) -> Lease:
        """A process for `call`, taken when it is run."""
        return Lease(self, call)

    def take(self) -> Process:
        """A free process, or a new one. Starting one takes a moment: for a handler's thread."""
        process = self._usable() or Process()
        with self._lock:
            if not self._closed:
                self._busy.add(process)
                return process
        process.close()
        raise HandlerCrashedError("the worker ended before the call had begun")

    def give_back(self, process: Process) -> None:
        """Keeps the process for later, unless it died or has done its share."""
        keep = process.usable and process.calls < self._recycle
        with self._lock:
            self._busy.discard(process)
            keep = keep and not self._closed
            if keep:
                self._idle.append(process)
        if not keep:
            process.close()

    def close(self) -> None:
        """Ends all of them, for good."""
        with self._lock:
            self._closed = True
            left = (*self._idle, *self._busy)
        for process in left:
            process.close()

    def _usable(self) -> Process | None:
        """One that was kept, and still lives."""
        while True:
            with self._lock:
                if not self._idle:
                    return None
                process = self._idle.pop()
            if process.usable:
                return process
            process.close()


def _death(code: int | None) -> str:
    if code is not None and code < 0:
        return f"was ended by {signal.Signals(-code).name}"
    return f"exited with code {code} before it had answered"


def _serve(pipe: Connection, dumps: Connection, logs: tuple[str, str] | None) -> None:
    """The child's life: calls in, results out, until the parent closes the pipe or dies; logs as the parent's."""
    if logs:
        configure_logs(*logs)
    for number in _IGNORED:
        signal.signal(number, signal.SIG_IGN)
    dump_on_signal(dumps)
    threading.Thread(target=_end_with_parent, name="lifeline", daemon=True).start()
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _HELD)
    while True:
        try:
            request = pipe.recv_bytes()
        except EOFError:
            return
        pipe.send_bytes(_answer(request))


def _end_with_parent() -> None:
    """Ends this process with its parent, also in the middle of a call, whose result nobody would get."""
    if parent := multiprocessing.parent_process():
        wait([parent.sentinel])
        os._exit(1)


def _answer(request: bytes) -> bytes:
    try:
        ids, call = pickle.loads(request)  # noqa: S301 - from our own parent
        with structlog.contextvars.bound_contextvars(**ids):
            return pickle.dumps((False, call()))
    except BaseException as error:  # noqa: BLE001 - whatever the handler raises, the parent reports it
        return _raised(error)


def _raised(error: BaseException) -> bytes:
    shown = "".join(traceback.format_exception(error))
    error.add_note(f"in the handler's process:\n{shown}")
    try:
        answer = pickle.dumps((True, error))
        pickle.loads(answer)  # noqa: S301 - our own bytes: does it survive the way?
    except Exception:  # noqa: BLE001 - exceptions pickle in as many ways as they are written
        stand_in = HandlerError(str(error))
        stand_in.error_name = str(getattr(error, "error_name", type(error).__name__))
        stand_in.add_note(f"in the handler's process:\n{shown}")
        answer = pickle.dumps((True, stand_in))
    return answer
