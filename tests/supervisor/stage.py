"""A real `workers run` process behind the proxy, for tests of what it does when it is told to end."""

import json
import signal
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import IO, Any

import aiohttp
import anyio

from tests.account import Account, task, unique
from tests.chaos.proxy import Proxy, proxy_to
from tests.processes import Process, workers
from workers.local import LocalStepFunctions

KNOWN_ACCOUNT = ("--account", "123456789012")


@dataclass
class Scene:
    """A worker of one registry, the proxy before it, and the account behind that."""

    account: Account
    proxy: Proxy
    process: Process
    activity: str

    async def begin(self, **values: Any) -> str:
        """An execution whose handler runs. Gives its ARN."""
        execution = await self.account.start(task(self.activity), values)
        await self.process.says("handler begun")
        return execution

    async def calls(self, operation: str) -> None:
        """Waits until the worker has made such a call."""
        await self.proxy.record.until(lambda: self.proxy.record.of(operation))

    async def drains(self, number: signal.Signals) -> None:
        """Signals, and waits until the worker drains."""
        self.process.send(number)
        await self.process.says("draining")

    async def page(self, path: str) -> tuple[int, str]:
        """What its health port answers, which --health-port has opened: status and body."""
        await self.process.says("health port open")
        (port,) = [line["port"] for line in self.process.said if line.get("event") == "health port open"]
        async with aiohttp.ClientSession() as http, http.get(f"http://127.0.0.1:{port}{path}") as answer:
            return answer.status, await answer.text()

    async def result(self, execution: str) -> Any:
        """Its output, or the name of its error."""
        ended = await self.account.ended(execution)
        return json.loads(ended["output"]) if ended["status"] == "SUCCEEDED" else ended["error"]


class Stage:
    """Sets scenes up."""

    def __init__(self, account: Account, engine: LocalStepFunctions) -> None:
        self._account = account
        self._engine = engine

    @asynccontextmanager
    async def scene(self, registry: str, *options: str, stdout: IO[bytes] | None = None) -> AsyncIterator[Scene]:
        """A worker that is being started."""
        namespace = unique("signals")
        options = ("--namespace", namespace, "--log-format", "json", *options)
        async with proxy_to(self._engine.url) as proxy:
            environment = {**self._engine.environment(), "AWS_ENDPOINT_URL": proxy.url}
            run = "run", f"tests.chaos.handlers:{registry}", *options
            async with workers(*run, environment=environment, stdout=stdout) as process:
                yield Scene(self._account, proxy, process, f"{namespace}--work")

    @asynccontextmanager
    async def working(self, registry: str, *options: str, stdout: IO[bytes] | None = None) -> AsyncIterator[Scene]:
        """A worker that polls. It knows the account, so that it asks nobody."""
        async with self.scene(registry, *KNOWN_ACCOUNT, *options, stdout=stdout) as scene:
            await scene.process.says("worker started")
            yield scene


async def side_by_side(cases: Iterable[Any], scenario: Callable[[Any], Awaitable[None]]) -> None:
    async def run(case: Any) -> None:
        try:
            await scenario(case)
        except BaseException as error:
            error.add_note(f"in the case of {case!r}")
            raise

    async with anyio.create_task_group() as group:
        for case in cases:
            group.start_soon(run, case, name=str(case))
