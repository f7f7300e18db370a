"""The worker of the demo: a `workers run` process of its own, as in production."""

import shlex
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import anyio
from anyio.abc import Process

_STOP = 30.0
"""Seconds that a worker with nothing to do may take to drain."""


class WorkerProcess:
    """A running `workers run`."""

    def __init__(self, process: Process, command: str, log: Path) -> None:
        self.command = command
        """What a person would have typed."""
        self._process = process
        self._log = log

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    @property
    def exit_code(self) -> int | None:
        """None while it runs."""
        return self._process.returncode

    async def ended(self) -> None:
        """Waits until it ends."""
        await self._process.wait()

    async def stop(self) -> int:
        """Drains it with SIGTERM, as a deploy does; its exit code. Killed, it is -9."""
        with anyio.CancelScope(shield=True):
            if self.exit_code is None:
                self._process.terminate()
            with anyio.move_on_after(_STOP):
                await self._process.wait()
            if self.exit_code is None:
                self._process.kill()
        return await self._process.wait()

    def last_words(self, lines: int = 20) -> str:
        """The end of its log."""
        return "\n".join(self._log.read_text(errors="replace").splitlines()[-lines:])


@asynccontextmanager
async def worker_process(registry: str, *, port: int, folder: Path) -> AsyncIterator[WorkerProcess]:
    """Runs `registry` on the embedded Step Functions at `port`, and drains it in the end. Its log is in `folder`.

    It has a session of its own: Ctrl-C on the terminal reaches the demo alone, which then stops the worker.
    """
    log = folder / "worker.log"
    arguments = ["workers", "run", registry, "--local", "--local-port", str(port)]
    with log.open("wb") as output:
        process = await anyio.open_process(
            [sys.executable, "-P", "-m", *arguments],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            cwd=folder,
            start_new_session=True,
        )
    worker = WorkerProcess(process, shlex.join(arguments), log)
    try:
        yield worker
    finally:
        await worker.stop()
