"""`workers run` as a real process: listened to by its log, ended by its pid, never left behind."""

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import IO, Any

_ROOT = Path(__file__).parents[1]
WORKERS = ("-c", "from workers.cli.main import main; main()")
"""Arguments of the interpreter that make it the `workers` command."""
_PATIENCE = 30.0
"""Seconds in which a process must say or do what a test waits for; they start slowly when many do."""


class Process:
    """A process in a session of its own, whose stderr is read line by line."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self._news = asyncio.Condition()
        self._reading = asyncio.create_task(self._read(), name=f"reading {process.pid}")
        self.said: list[dict[str, Any]] = []
        """What it logged: JSON lines as they are, other lines as {"event": LINE}."""

    @property
    def pid(self) -> int:
        """Of the process, and of the group of all that it starts."""
        return self._process.pid

    @property
    def running(self) -> bool:
        """Whether it has not ended."""
        return self._process.returncode is None

    async def says(self, event: str, *, times: int = 1) -> None:
        """Waits until it has logged `event` so often. Fails when it ends without."""

        def count() -> int:
            return sum(line.get("event") == event for line in self.said)

        async with asyncio.timeout(_PATIENCE), self._news:
            await self._news.wait_for(lambda: count() >= times or self._reading.done())
        assert count() >= times, f"{event!r} was not said:\n{self.log()}"

    def send(self, number: signal.Signals) -> None:
        """Sends a signal to the process alone, as container runtimes do."""
        if self.running:
            self._process.send_signal(number)

    def send_to_group(self, number: signal.Signals) -> None:
        """Sends a signal to the process and all that it started, as a terminal does."""
        os.killpg(self.pid, number)

    async def ends(self, *, within: float = _PATIENCE) -> int:
        """Its exit code, once it has ended; minus the signal's number where one ended it."""
        try:
            async with asyncio.timeout(within):
                return await self._process.wait()
        except TimeoutError:
            raise AssertionError(f"process {self.pid} did not end within {within} s:\n{self.log()}") from None

    def log(self) -> str:
        """What it said, for people."""
        return "\n".join(json.dumps(line) for line in self.said)

    async def remove(self) -> None:
        """Ends it and all that it started, at once."""
        with suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)
        await self._process.wait()
        await self._reading

    async def _read(self) -> None:
        assert self._process.stderr
        async for line in self._process.stderr:
            async with self._news:
                self.said.append(_parsed(line))
                self._news.notify_all()
        async with self._news:
            self._news.notify_all()


@asynccontextmanager
async def python(
    *arguments: str, environment: Mapping[str, str], stdout: IO[bytes] | None = None
) -> AsyncIterator[Process]:
    """The interpreter with `arguments`, in the repository's folder, until the context is left.

    `stdout`: the file for what it prints; else that goes where ours does.
    """
    process = Process(
        await asyncio.create_subprocess_exec(
            sys.executable,
            *arguments,
            cwd=_ROOT,
            env={**os.environ, **environment},
            stdin=asyncio.subprocess.DEVNULL,
            stdout=stdout,
            stderr=asyncio.subprocess.PIPE,
            start_new_session=True,
            limit=2**20,
        )
    )
    try:
        yield process
    finally:
        await process.remove()


def workers(*arguments: str, environment: Mapping[str, str], stdout: IO[bytes] | None = None) -> Any:
    """`workers` with `arguments`: a context of its `Process`."""
    return python(*WORKERS, *arguments, environment=environment, stdout=stdout)


def _parsed(line: bytes) -> dict[str, Any]:
    text = line.decode(errors="replace").rstrip()
    with suppress(ValueError):
        found = json.loads(text)
        if isinstance(found, dict):
            return found
    return {"event": text}
