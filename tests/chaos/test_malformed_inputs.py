"""Inputs that cannot work: each fails its own task and says why; work beside it goes on as if nothing had been."""

import json
import signal
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

import anyio
import pytest
from aiobotocore.session import get_session
from anyio.from_thread import BlockingPortal, start_blocking_portal
from hypothesis import HealthCheck, given, settings

from tests.account import Account, unique
from tests.chaos.conftest import PATIENT, Engine
from tests.chaos.load import Load, recovering
from tests.chaos.malformed import malformed
from tests.chaos.proxy import Proxy, proxy_to
from tests.chaos.recorder import PATIENCE
from tests.processes import Process, workers
from workers.errors import ErrorName, ExitCode

MESSAGE_LIMIT = 2_000
"""Characters of a message that a person still reads."""
SIZES = pytest.mark.parametrize(
    ("count", "bench"),
    [
        pytest.param(60, "engine", id="short"),
        pytest.param(1_000, "engine", id="whole", marks=[pytest.mark.slow, pytest.mark.timeout(600)]),
        pytest.param(60, "bad_day", id="bad day", marks=[pytest.mark.slow, pytest.mark.timeout(300)]),
    ],
    indirect=["bench"],
)
"""The bench stands before the engine, or before AWS on a bad day."""


class Bench:
    """A worker that gets malformed inputs, and good ones all the time."""

    def __init__(self, account: Account, load: Load, proxy: Proxy, worker: Process) -> None:
        self.load = load
        self.worker = worker
        self._account = account
        self._texts: list[str] = []
        proxy.rewrite = self._malform

    async def failure(self, text: str) -> dict[str, Any]:
        """How the execution ended whose task had `text` for its input."""
        self._texts.append(text)
        execution = await self.load.start_one({"malformed": len(self._texts) - 1})
        with anyio.move_on_after(PATIENCE):
            return await self._account.ended(execution)
        raise AssertionError(f"the task was not reported; the worker said:\n{self.worker.log()[-5_000:]}")

    async def good_ones(self) -> None:
        """Runs good executions, for ever."""
        while True:
            ended = await self._account.ended(await self.load.start_one({"x": 1}))
            assert ended.get("output") == "1.5", ended

    def _malform(self, answer: dict[str, Any]) -> dict[str, Any]:
        """The embedded engine, as AWS, takes only JSON for an input: the rest comes in on the way to the worker."""
        number = json.loads(answer["input"]).get("malformed")
        return answer if number is None else {**answer, "input": self._texts[number]}


@asynccontextmanager
async def benches(engine: Engine) -> AsyncIterator[Bench]:
    """A bench; at its end the worker must have been disturbed by nothing."""
    namespace = unique("malformed")
    async with (
        proxy_to(engine.url) as proxy,
        get_session().create_client("stepfunctions", config=PATIENT) as client,
        anyio.create_task_group() as beside,
    ):
        account = Account(client)
        options = ("--namespace", namespace, "--account", "123456789012", "--log-format", "json")
        aws = engine.environment(through=proxy.url)
        async with workers("run", "tests.chaos.handlers:strict", *options, environment=aws) as worker:
            machine = recovering(f"{namespace}--work", heartbeat=4)  # what a bad day swallows comes back
            bench = Bench(account, await Load.of(account, machine), proxy, worker)
            beside.start_soon(bench.good_ones)
            yield bench
            beside.cancel_scope.cancel()
            worker.send(signal.SIGTERM)
            with anyio.CancelScope(shield=True):
                assert await worker.ends() == ExitCode.OK


@pytest.fixture
def bench(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[BlockingPortal, Bench]]:
    engine: Engine = request.getfixturevalue(request.param)
    for name, value in engine.environment().items():
        monkeypatch.setenv(name, value)
    with start_blocking_portal() as portal, portal.wrap_async_context_manager(benches(engine)) as made:
        yield portal, made


@SIZES
def test_a_malformed_input_fails_its_own_task(bench: tuple[BlockingPortal, Bench], count: int) -> None:
    portal, made = bench

    @settings(max_examples=count, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
    @given(text=malformed())
    def fails(text: str) -> None:
        ended = portal.call(made.failure, text)
        assert (ended["status"], ended["error"]) == ("FAILED", ErrorName.INVALID_INPUT)
        cause = json.loads(ended["cause"])
        assert cause["errorType"] == ErrorName.INVALID_INPUT
        assert 0 < len(cause["errorMessage"]) <= MESSAGE_LIMIT

    fails()
