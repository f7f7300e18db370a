"""What an orchestrator does with workers: new ones first, probes, SIGTERM, grace, SIGKILL."""

import signal
from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Self

import anyio
from anyio.abc import TaskGroup

from tests.processes import Process, workers

PROBE_EVERY = 0.5
FAILURES = 3
"""Probes that fail in a row before a worker is killed."""


@dataclass
class Pod:
    """A worker, its health port, and what the orchestrator has done with it."""

    process: Process
    port: int
    release: int
    killed: bool = False

    async def answers(self, page: str) -> bool:
        """Whether its health port answers 200 within a second, as probes ask."""
        try:
            with anyio.fail_after(1):
                async with await anyio.connect_tcp("127.0.0.1", self.port) as stream:
                    await stream.send(f"GET {page} HTTP/1.0\r\n\r\n".encode())
                    return b" 200 " in (await stream.receive()).partition(b"\r\n")[0]
        except (OSError, TimeoutError, anyio.EndOfStream, anyio.BrokenResourceError):
            return False

    def handled(self) -> int:
        """Tasks that its handlers have begun."""
        return sum(line.get("event") == "handler begun" for line in self.process.said)


class Orchestrator:
    """A deployment of `size` workers, replaced release by release. Times are seconds.

    `grace`: from SIGTERM to SIGKILL. `free_port` gives ports for probes.
    """

    def __init__(
        self,
        command: list[str],
        environment: Mapping[str, str],
        *,
        size: int,
        grace: float,
        free_port: Callable[[], int],
    ) -> None:
        self.pods: list[Pod] = []
        """All that ever ran."""
        self._command = command
        self._environment = environment
        self._size = size
        self._grace = grace
        self._free_port = free_port
        self._current: list[Pod] = []
        self._stack = AsyncExitStack()
        self._group: TaskGroup

    async def __aenter__(self) -> Self:
        self._group = await self._stack.enter_async_context(anyio.create_task_group())
        return self

    async def __aexit__(self, *failed: object) -> None:
        self._group.cancel_scope.cancel()
        await self._stack.aclose()

    async def roll(self, release: int) -> None:
        """Starts the new workers, and once they are ready tells the old ones to stop, without waiting for that."""
        new = [await self._start(release) for _ in range(self._size)]
        with anyio.fail_after(60):
            for pod in new:
                while not await pod.answers("/readyz"):
                    await anyio.sleep(PROBE_EVERY)
        old, self._current = self._current, new
        for pod in old:
            self._group.start_soon(self._stop, pod, name=f"stop {pod.process.pid}")

    async def end(self) -> list[int]:
        """Stops all; the exit codes of all that ever ran."""
        for pod in self._current:
            self._group.start_soon(self._stop, pod, name=f"stop {pod.process.pid}")
        return [await pod.process.ends(within=self._grace + 30) for pod in self.pods]

    async def _start(self, release: int) -> Pod:
        port = self._free_port()
        command = [*self._command, "--health-port", str(port)]
        process = await self._stack.enter_async_context(workers(*command, environment=self._environment))
        pod = Pod(process, port, release)
        self.pods.append(pod)
        self._group.start_soon(self._watch, pod, name=f"watch {process.pid}")
        return pod

    async def _watch(self, pod: Pod) -> None:
        """Kills it if it has been alive and is no more, also while it drains."""
        while pod.process.running and not await pod.answers("/livez"):
            await anyio.sleep(PROBE_EVERY)
        failures = 0
        while pod.process.running:
            failures = 0 if await pod.answers("/livez") else failures + 1
            if failures >= FAILURES and pod.process.running:
                self._kill(pod)
            await anyio.sleep(PROBE_EVERY)

    async def _stop(self, pod: Pod) -> None:
        pod.process.send(signal.SIGTERM)
        try:
            await pod.process.ends(within=self._grace)
        except AssertionError:
            self._kill(pod)

    def _kill(self, pod: Pod) -> None:
        pod.killed = True
        pod.process.send(signal.SIGKILL)
