"""Signals to real `workers run` processes, in each phase of a worker's life.

Whatever happens, a worker that exits 0 has reported every token that it received: no execution stays behind.
Cases of a test run side by side: most of their time is the start of processes.
"""

import json
import signal
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from tests.account import task
from tests.chaos.faults import Fault, always, once
from tests.supervisor.stage import KNOWN_ACCOUNT, Scene, Stage, side_by_side
from workers.errors import ErrorName, ExitCode
from workers.stepfunctions.client import POLL_HOLD

TERM, INT = SIGNALS = (signal.SIGTERM, signal.SIGINT)
OTHER = {TERM: INT, INT: TERM}
KINDS = pytest.mark.parametrize(
    "cases",
    [
        [("in_process", INT), ("endless", TERM)],
        pytest.param(
            [
                ("in_process", TERM),
                ("endless", INT),
                *((kind, one) for kind in ("in_loop", "in_thread") for one in SIGNALS),
            ],
            marks=pytest.mark.slow,
        ),
    ],
    ids=["some", "others"],
)
"""Handlers that run: in a process, in a thread that never ends; in the event loop, in a thread that looks up."""


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


@pytest.mark.parametrize("number", [INT, pytest.param(TERM, marks=pytest.mark.slow)])
async def test_a_task_that_arrives_after_the_grace_is_failed_at_once(stage: Stage, number: signal.Signals) -> None:
    async with stage.working("echo", "--grace", "0") as scene:
        async with scene.proxy.holding("GetActivityTask"):
            await scene.calls("GetActivityTask")
            await scene.drains(number)
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
async def test_a_handler_exceeds_the_grace(stage: Stage, cases: list[Any]) -> None:
    async def scenario(case: tuple[str, signal.Signals]) -> None:
        registry, number = case
        async with stage.working(registry, "--grace", "0.2") as scene:
            execution = await scene.begin(seconds=3600)
            scene.process.send(number)
            assert await scene.process.ends() == ExitCode.OK
            assert await scene.result(execution) == ErrorName.SHUTTING_DOWN

    await side_by_side([*cases, ("stubborn", cases[0][1])], scenario)


@pytest.mark.parametrize(
    ("registry", "number"), [("saving", TERM), pytest.param("saving_in_thread", INT, marks=pytest.mark.slow)]
)
async def test_a_handler_that_awaits_the_drain_saves_its_work(
    stage: Stage, registry: str, number: signal.Signals
) -> None:
    async with stage.working(registry) as scene:
        execution = await scene.begin()
        await scene.drains(number)
        assert await scene.process.ends() == ExitCode.OK
        assert await scene.result(execution) == "saved"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("second", "outcome", "code"),
    [(False, "failed", ExitCode.OK), (True, "given_up", ExitCode.FORCED)],
    ids=["grace", "forced"],
)
async def test_a_process_that_leaves_handlers_behind_says_all_that_it_says_at_the_end(
    stage: Stage, tmp_path: Path, outcome: str, code: ExitCode, *, second: bool
) -> None:
    printed = tmp_path / "stdout"
    with printed.open("wb") as stdout:
        options = "--metrics", "emf", "--concurrency", "1", "--grace", "60" if second else "0"
        async with stage.working("stubborn", *options, stdout=stdout) as scene:
            await scene.begin()
            await scene.drains(signal.SIGTERM)
            if second:
                scene.process.send(signal.SIGTERM)
            assert await scene.process.ends() == code
    said = {line["event"]: line for line in scene.process.said}
    assert (said["worker stopped"]["exit_code"], "report given up" in said) == (code, second)
    numbers = [json.loads(line) for line in printed.read_text().splitlines()]
    assert [line["workers_tasks_total"] for line in numbers if line.get("outcome") == outcome] == [1.0]


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
async def test_a_second_signal_ends_handlers(stage: Stage, cases: list[Any]) -> None:
    async def scenario(case: tuple[str, signal.Signals]) -> None:
        registry, number = case
        async with stage.working(registry, "--concurrency", "1") as scene:
            execution = await scene.begin(seconds=3600)
            await scene.drains(number)
            scene.process.send(OTHER[number])
            assert await scene.process.ends(within=10) == ExitCode.OK  # no poll was open, and the task was reported
            assert await scene.result(execution) == ErrorName.SHUTTING_DOWN

    await side_by_side(cases, scenario)


@pytest.mark.slow
async def test_a_second_signal_leaves_what_does_not_end(stage: Stage) -> None:
    async def handler(scene: Scene) -> None:
        await scene.begin()

    async def report(scene: Scene) -> None:
        scene.proxy.faults = always("SendTask", Fault.SERVER_ERROR)
        await scene.begin(seconds=0)
        await scene.process.says("report not delivered")

    async def scenario(case: tuple[str, Callable[[Scene], Awaitable[None]], signal.Signals]) -> None:
        registry, begun, number = case
        async with stage.scene(registry, "--concurrency", "1", *KNOWN_ACCOUNT) as scene:
            await begun(scene)
            await scene.drains(number)
            scene.process.send(number)
            assert await scene.process.ends(within=15) == ExitCode.FORCED

    await side_by_side([("stubborn", handler, TERM), ("in_loop", report, INT)], scenario)


@pytest.mark.parametrize("number", [TERM, pytest.param(INT, marks=pytest.mark.slow)])
async def test_a_first_signal_ends_a_lifespan_that_is_never_ready(stage: Stage, number: signal.Signals) -> None:
    async with stage.scene("never_ready", *KNOWN_ACCOUNT) as scene:
        await scene.process.says("lifespan begun")
        scene.process.send(number)
        assert await scene.process.ends(within=15) == ExitCode.OK


@pytest.mark.slow
async def test_a_second_signal_while_starting_leaves_a_lifespan_that_does_not_end(stage: Stage) -> None:
    async def scenario(number: signal.Signals) -> None:
        async with stage.scene("never_closed", *KNOWN_ACCOUNT) as scene:
            await scene.process.says("lifespan begun")
            await scene.drains(number)
            scene.process.send(OTHER[number])
            await scene.process.says("forced to stop")
            assert await scene.process.ends() == ExitCode.FORCED

    await side_by_side(SIGNALS, scenario)


@pytest.mark.slow
async def test_a_report_that_never_arrives_is_given_up_as_a_fault(stage: Stage) -> None:
    async def scenario(registry: str) -> None:
        async with stage.working(registry, "--grace", "0.5") as scene:
            scene.proxy.faults = always("SendTask", Fault.SERVER_ERROR)
            await scene.begin(seconds=0)
            scene.process.send(signal.SIGTERM)
            assert await scene.process.ends(within=30) == ExitCode.FAULT
            assert [line["event"] for line in scene.process.said].count("report given up") == 1

    await side_by_side(["in_loop", "stubborn", "endless"], scenario)


@pytest.mark.slow
async def test_a_report_is_given_up_once_also_where_a_lifespan_does_not_end_then(stage: Stage) -> None:
    async with stage.working("never_left", "--concurrency", "1", "--grace", "0") as scene:
        scene.proxy.faults = always("SendTask", Fault.SERVER_ERROR)
        await scene.begin(seconds=0)
        await scene.drains(TERM)
        await scene.process.says("report given up")
        scene.process.send(TERM)
        assert await scene.process.ends(within=15) == ExitCode.FORCED
        assert [line["event"] for line in scene.process.said].count("report given up") == 1


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
