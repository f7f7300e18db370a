"""A command's process, alone in a session and a process group, so that a signal reaches all that it starts.

It is reaped only after the last signal to its group: until then the system gives its number to nobody else. Its pipes
are read by their numbers: uvloop's transports close a pipe twice (0.23), and beside threads that start processes the
second time may hit a stranger.
"""

import asyncio
import math
import os
import signal
import subprocess
import threading
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import anyio
import anyio.to_thread

_CHUNK = 65_536
_LAST_OUTPUT = 1.0
"""Seconds that what a command has left running may go on writing; then it is killed, and listened to as long again."""
_LAST_BYTES = 2**20
"""Bytes that are read after that: more than a pipe holds."""

Take = Callable[[bytes], Awaitable[None]]


class Child:
    """A running command. From `Child.start`; must be ended by `close`."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._process = process
        self._reaped = self._killed = False
        self._reads: dict[Any, anyio.CancelScope] = {}
        self._exited = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        threading.Thread(target=self._await_exit, name=f"awaits process {process.pid}", daemon=True).start()

    @classmethod
    async def start(cls, arguments: Sequence[str], environment: Mapping[str, str], stdin: Path) -> "Child":
        """Starts the command with the file `stdin` as its stdin. Raises `OSError` when it cannot be started."""

        def start() -> subprocess.Popen[bytes]:
            with stdin.open("rb") as source:
                return subprocess.Popen(  # noqa: S603 - to run a command is what this is for; never a shell
                    list(arguments),
                    stdin=source,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.PIPE,
                    env=dict(environment),
                    start_new_session=True,
                )

        return cls(await anyio.to_thread.run_sync(start))

    @property
    def pid(self) -> int:
        """Of the process and of its group."""
        return self._process.pid

    def send(self, number: signal.Signals) -> None:
        """Sends a signal to the whole group."""
        if not self._reaped:
            with suppress(ProcessLookupError, PermissionError):  # the latter is macOS's word for a group of zombies
                os.killpg(self.pid, number)

    async def run(self, stdout: Take, stderr: Take) -> int:
        """Hands out what it writes until it has ended; kills what it left running.

        Returns its exit code, or minus the signal's number where one ended it.
        """
        copied = [anyio.Event(), anyio.Event()]
        async with anyio.create_task_group() as copies:
            for pipe, take, done in zip(self._pipes, (stdout, stderr), copied, strict=True):
                copies.start_soon(self._copy, pipe, take, done, name=f"output of {self.pid}")
            await self._exited.wait()
            for read in self._reads.values():
                read.deadline = anyio.current_time() + _LAST_OUTPUT
            with anyio.move_on_after(_LAST_OUTPUT):
                for done in copied:
                    await done.wait()
            self.send(signal.SIGKILL)
            self._killed = True
        return self._reap()

    async def end(self, *, grace: float) -> None:
        """SIGTERM, and SIGKILL unless it has exited within `grace` seconds. `run` must be running: it hears the end."""
        if grace:
            self.send(signal.SIGTERM)
            with anyio.move_on_after(grace):
                await self._exited.wait()
        if not self._exited.is_set():
            self.send(signal.SIGKILL)

    async def close(self) -> None:
        """Leaves nothing running and nothing open."""
        if not self._reaped:
            self.send(signal.SIGKILL)
            await self._exited.wait()
            self._reap()
        for pipe in self._pipes:
            pipe.close()

    @property
    def _pipes(self) -> list[Any]:
        return [self._process.stdout, self._process.stderr]

    def _reap(self) -> int:
        code = self._process.wait()
        self._reaped = True
        return code

    async def _copy(self, pipe: Any, take: Take, done: anyio.Event) -> None:
        """Reads to the end; or no longer than it should take, where something has left the group with the pipe."""
        os.set_blocking(pipe.fileno(), False)
        left = _LAST_BYTES
        while left > 0:
            try:
                data = os.read(pipe.fileno(), _CHUNK)
            except BlockingIOError:
                if await self._silent(pipe) and self._killed:
                    break
                continue
            if not data:
                break
            if self._killed:
                left -= len(data)
            await take(data)
        done.set()

    async def _silent(self, pipe: Any) -> bool:
        """False as soon as there is something to read; True when nothing came for too long after the exit."""
        deadline = anyio.current_time() + _LAST_OUTPUT if self._exited.is_set() else math.inf
        with anyio.CancelScope(deadline=deadline) as self._reads[pipe]:
            await anyio.wait_readable(pipe.fileno())
        return self._reads[pipe].cancelled_caught

    def _await_exit(self) -> None:
        os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOWAIT)
        with suppress(RuntimeError):  # the event loop is gone, and with it whoever waited
            self._loop.call_soon_threadsafe(self._exited.set)
