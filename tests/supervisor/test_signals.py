"""Signals to real `workers run` processes, in each phase of a worker's life.

Whatever happens, a worker that exits 0 has reported every token that it received: no execution stays behind.
Cases of a test run side by side: most of their time is the start of processes.
"""

import json
import signal
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import anyio
import pytest

from tests.account import Account, task, unique
from tests.chaos.faults import Fault, always, once
from tests.chaos.proxy import Proxy, proxy_to
from tests.processes import Process, workers
from workers.errors import ErrorName, ExitCode
from workers.local import LocalStepFunctions
from workers.stepfunctions.client import POLL_HOLD

TERM, INT = SIGNALS = (signal.SIGTERM, signal.SIGINT)
KNOWN_ACCOUNT = ("--account", "123456789012")
KINDS = pytest.mark.parametrize(
    "kinds",
    [["in_process", "endless"], pytest.param(["in_loop", "in_thread"], marks=pytest.mark.slow)],
    ids=["hard", "easy"],
)
"""Handlers that run: in a process, in a thread that never ends; in the event loop, in a thread that looks up."""


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
    async def scene(self, registry: str, *options: str) -> AsyncIterator[Scene]:
        """A worker that is being started."""
        namespace = unique("signals")
        options = ("--namespace", namespace, "--log-format", "json", *options)
        async with proxy_to(self._engine.url) as proxy:
            environment = {**self._engine.environment(), "AWS_ENDPOINT_URL": proxy.url}
            async with workers("run", f"tests.chaos.handlers:{registry}", *options, environment=environment) as process:
                yield Scene(self._account, proxy, process, f"{namespace}--work")

    @asynccontextmanager
    async def working(self, registry: str, *options: str) -> AsyncIterator[Scene]:
        """A worker that polls. It knows the account, so that it asks nobody."""
        async with self.scene(registry, *KNOWN_ACCOUNT, *options) as scene:
            await scene.process.says("worker started")
            yield scene


@pytest.fixture
def stage(account: Account, engine: LocalStepFunctions) -> Stage:
    return Stage(account, engine)


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


async def test_starting(stage: Stage) -> None:
    async def scenario(number: signal.Signals) -> None:
        async with stage.scene("echo") as scene:
            scene.proxy.darken()
            await scene.calls("GetCallerIdentity")
            scene.process.send(number)
            assert await scene.process.ends(within=10) == ExitCode.OK

    await side_by_side(SIGNALS, scenario)


async def test_idle_polls(stage: Stage) -> None:
    async def scenario(number: signal.Signals) -> None:
        async with stage.working("echo") as scene:
            await scene.proxy.record.until(scene.proxy.record.open_polls)
            scene.process.send(number)
            assert await scene.process.ends() == ExitCode.OK
            assert all(poll.answered for poll in scene.proxy.record.of("GetActivityTask"))

    await side_by_side(SIGNALS, scenario)


async def test_a_task_that_arrives_during_the_drain_is_run(stage: Stage) -> None:
    async def scenario(number: signal.Signals) -> None:
        async with stage.working("echo") as scene:
            async with scene.proxy.holding("GetActivityTask"):
                await scene.calls("GetActivityTask")
                await scene.drains(number)
                execution = await scene.account.start(task(scene.activity), "late")
            assert await scene.process.ends() == ExitCode.OK
            assert await scene.result(execution) == "late"

    await side_by_side(SIGNALS, scenario)


async def test_a_task_that_arrives_after_the_grace_is_failed_at_once(stage: Stage) -> None:
    async with stage.working("echo", "--grace", "0") as scene:
        async with scene.proxy.holding("GetActivityTask"):
            await scene.calls("GetActivityTask")
            await scene.drains(signal.SIGTERM)
            execution = await scene.account.start(task(scene.activity), "late")
        assert await scene.process.ends() == ExitCode.OK
        assert await scene.result(execution) == ErrorName.SHUTTING_DOWN


@pytest.mark.parametrize(
    "cases",
    [
        [("in_loop", TERM), ("in_thread", INT), ("in_process", TERM), ("in_process", INT)],
        pytest.param([("in_loop", INT), ("in_thread", TERM)], marks=pytest.mark.slow),
    ],
    ids=["some", "others"],
)
async def test_a_handler_finishes_within_the_grace(stage: Stage, cases: list[Any]) -> None:
    async def scenario(case: tuple[str, signal.Signals]) -> None:
        registry, number = case
        async with stage.working(registry) as scene:
            execution = await scene.begin(seconds=0.8)
            scene.process.send_to_group(number)  # a process of a handler must not die of it
            assert await scene.process.ends() == ExitCode.OK
            assert await scene.result(execution) == "done"

    await side_by_side(cases, scenario)


@KINDS
async def test_a_handler_exceeds_the_grace(stage: Stage, kinds: list[str]) -> None:
    async def scenario(registry: str) -> None:
        async with stage.working(registry, "--grace", "0.2") as scene:
            execution = await scene.begin(seconds=3600)
            scene.process.send(signal.SIGTERM)
            assert await scene.process.ends() == ExitCode.OK
            assert await scene.result(execution) == ErrorName.SHUTTING_DOWN

    await side_by_side([*kinds, "stubborn"], scenario)


@pytest.mark.slow
async def test_a_report_is_being_retried(stage: Stage) -> None:
    async def scenario(number: signal.Signals) -> None:
        async with stage.working("in_loop") as scene:
            scene.proxy.faults = always("SendTask", Fault.SERVER_ERROR)
            execution = await scene.begin(seconds=0)
            await scene.process.says("report not delivered")
            await scene.drains(number)
            scene.proxy.faults = once("SendTask", Fault.DROP_AFTER)
            assert await scene.process.ends() == ExitCode.OK
            assert await scene.result(execution) == "done"
            assert not scene.proxy.record.contradictions()

    await side_by_side(SIGNALS, scenario)


@pytest.mark.slow
async def test_the_last_of_max_tasks(stage: Stage) -> None:
    async with stage.working("echo", "--max-tasks", "2", "--pollers", "1") as scene:
        executions = [await scene.account.start(task(scene.activity), number) for number in range(2)]
        assert await scene.process.ends() == ExitCode.OK
        assert [await scene.result(execution) for execution in executions] == [0, 1]


async def test_a_second_signal_drops_the_polls(stage: Stage) -> None:
    async def scenario(number: signal.Signals) -> None:
        async with stage.working("echo") as scene, scene.proxy.holding("GetActivityTask"):
            await scene.calls("GetActivityTask")
            await scene.drains(number)
            scene.process.send(number)
            assert await scene.process.ends(within=10) == ExitCode.FORCED

    await side_by_side(SIGNALS, scenario)


@KINDS
async def test_a_second_signal_ends_handlers(stage: Stage, kinds: list[str]) -> None:
    async def scenario(registry: str) -> None:
        async with stage.working(registry, "--concurrency", "1") as scene:
            execution = await scene.begin(seconds=3600)
            await scene.drains(signal.SIGTERM)
            scene.process.send(signal.SIGINT)
            assert await scene.process.ends(within=10) == ExitCode.OK  # no poll was open, and the task was reported
            assert await scene.result(execution) == ErrorName.SHUTTING_DOWN

    await side_by_side(kinds, scenario)


@pytest.mark.slow
async def test_a_second_signal_leaves_what_does_not_end(stage: Stage) -> None:
    async def handler(scene: Scene) -> None:
        await scene.begin()

    async def report(scene: Scene) -> None:
        scene.proxy.faults = always("SendTask", Fault.SERVER_ERROR)
        await scene.begin(seconds=0)
        await scene.process.says("report not delivered")

    async def scenario(case: tuple[str, Callable[[Scene], Awaitable[None]]]) -> None:
        registry, begun = case
        async with stage.scene(registry, "--concurrency", "1", *KNOWN_ACCOUNT) as scene:
            await begun(scene)
            await scene.drains(signal.SIGTERM)
            scene.process.send(signal.SIGTERM)
            assert await scene.process.ends(within=15) == ExitCode.FORCED

    await side_by_side([("stubborn", handler), ("in_loop", report)], scenario)


async def test_a_first_signal_ends_a_lifespan_that_is_never_ready(stage: Stage) -> None:
    async with stage.scene("never_ready", *KNOWN_ACCOUNT) as scene:
        await scene.process.says("lifespan begun")
        scene.process.send(signal.SIGTERM)
        assert await scene.process.ends(within=15) == ExitCode.OK


@pytest.mark.slow
async def test_a_report_that_never_arrives_is_given_up_as_a_fault(stage: Stage) -> None:
    async def scenario(registry: str) -> None:
        async with stage.working(registry, "--grace", "0.5") as scene:
            scene.proxy.faults = always("SendTask", Fault.SERVER_ERROR)
            await scene.begin(seconds=0)
            scene.process.send(signal.SIGTERM)
            assert await scene.process.ends(within=30) == ExitCode.FAULT

    await side_by_side(["in_loop", "stubborn", "endless"], scenario)


@pytest.mark.slow
@pytest.mark.timeout(120)
async def test_a_poll_that_gets_no_answer_is_awaited_to_its_end_whatever_the_grace(stage: Stage) -> None:
    async with stage.working("echo", "--grace", "0") as scene:
        await scene.calls("GetActivityTask")
        scene.proxy.darken()
        await scene.drains(signal.SIGTERM)
        with pytest.raises(AssertionError, match="did not end"):
            await scene.process.ends(within=POLL_HOLD)
        assert await scene.process.ends(within=20) == ExitCode.OK
