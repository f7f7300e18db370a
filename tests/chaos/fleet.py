"""Several `workers run` processes, of which one after the other is replaced."""

import signal
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Self

import anyio

from tests.processes import Process, workers


class Fleet:
    """Workers of one registry. `retired` are those that were told to stop, with the others still running."""

    def __init__(self, stack: AsyncExitStack, command: list[str], environment: Mapping[str, str]) -> None:
        self.running: list[Process] = []
        self.retired: list[Process] = []
        self._stack = stack
        self._command = command
        self._environment = environment

    async def add(self) -> Process:
        """One more worker."""
        process = await self._stack.enter_async_context(workers(*self._command, environment=self._environment))
        self.running.append(process)
        return process

    async def ready(self) -> Self:
        """Waits until all poll."""
        for process in self.running:
            await process.says("worker started")
        return self

    async def replace(self, number: signal.Signals) -> None:
        """Ends the oldest worker by a signal and starts another, as a rolling deployment does."""
        oldest = self.running.pop(0)
        await oldest.says("worker started")  # before, a signal ends the interpreter
        oldest.send(number)
        self.retired.append(oldest)
        await self.add()

    async def keep_replacing(self, *, every: float, number: signal.Signals, times: float) -> None:
        """Replaces one worker after the other, the next after `every` seconds."""
        while len(self.retired) < times:
            await anyio.sleep(every)
            with anyio.CancelScope(shield=True):
                await self.replace(number)

    async def exit_codes(self, *, within: float) -> list[int]:
        """Stops all by SIGTERM. Gives the exit codes of all that ever ran, the oldest first."""
        for process in self.running:
            await process.says("worker started")
            process.send(signal.SIGTERM)
        everyone, self.running = [*self.retired, *self.running], []
        return [await process.ends(within=within) for process in everyone]


@asynccontextmanager
async def fleet(registry: str, size: int, *options: str, environment: Mapping[str, str]) -> AsyncIterator[Fleet]:
    """`size` workers that poll."""
    command = ["run", f"tests.chaos.handlers:{registry}", "--account", "123456789012", "--log-format", "json", *options]
    async with AsyncExitStack() as stack:
        started = Fleet(stack, command, environment)
        for _ in range(size):
            await started.add()
        yield await started.ready()
