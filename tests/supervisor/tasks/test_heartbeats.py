"""The heartbeat scheduler."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import anyio
import pytest
from aiobotocore.config import AioConfig
from aiobotocore.session import get_session
from aiohttp import web

from tests.supervisor.scripted import Scripted, fault
from workers.metrics import Metrics
from workers.stepfunctions.connection import Connection
from workers.stepfunctions.fast.choice import ClientName, open_stepfunctions
from workers.stepfunctions.protocol import TaskClosedError
from workers.supervisor.tasks.heartbeats import Heartbeats
from workers.supervisor.tasks.reports import Fate, Reports
from workers.task import CancelReason


class Run:
    def __init__(self, token: str = "token") -> None:
        self.token = self.label = token
        self.last_beat: float | None = None
        self.cancelled: CancelReason | None = None

    def cancel(self, reason: CancelReason) -> None:
        self.cancelled = reason


async def beats(client: Scripted, number: int) -> None:
    while len(client.times["beat"]) < number:
        await anyio.sleep(0.01)


async def test_the_first_beat_comes_after_one_interval_then_they_are_regular() -> None:
    client, run = Scripted(), Run()
    heartbeats = Heartbeats(client, Metrics(active=False))
    async with anyio.create_task_group() as group:
        group.start_soon(heartbeats.run)
        begun = anyio.current_time()
        with heartbeats.beating(run, 0.2):
            await beats(client, 3)
        group.cancel_scope.cancel()
    gaps = [after - before for before, after in zip([begun, *client.times["beat"]], client.times["beat"], strict=False)]
    assert all(gap >= 0.17 for gap in gaps)
    assert run.last_beat is not None


async def test_beats_stop_with_the_handler() -> None:
    client = Scripted()
    heartbeats = Heartbeats(client, Metrics(active=False))
    async with anyio.create_task_group() as group:
        group.start_soon(heartbeats.run)
        with heartbeats.beating(Run("short"), 0.05):
            pass
        with heartbeats.beating(Run("long"), 0.05):
            await beats(client, 2)
        group.cancel_scope.cancel()
    assert {call[1] for call in client.calls} == {"long"}


async def test_a_short_interval_does_not_wait_for_a_long_one() -> None:
    client = Scripted()
    heartbeats = Heartbeats(client, Metrics(active=False))
    async with anyio.create_task_group() as group:
        group.start_soon(heartbeats.run)
        await anyio.wait_all_tasks_blocked()
        with heartbeats.beating(Run("slow"), 60):
            await anyio.wait_all_tasks_blocked()
            with heartbeats.beating(Run("fast"), 0.02):
                await beats(client, 2)
        group.cancel_scope.cancel()
    assert {call[1] for call in client.calls} == {"fast"}


async def test_a_transient_failure_is_repeated_sooner_and_does_not_end_the_beating() -> None:
    client, run = Scripted(), Run()
    client.answers["beat"] = [fault(), fault()]
    heartbeats = Heartbeats(client, Metrics(active=False))
    async with anyio.create_task_group() as group:
        group.start_soon(heartbeats.run)
        with heartbeats.beating(run, 0.5):
            await beats(client, 4)
        group.cancel_scope.cancel()
    first, _, third, fourth = client.times["beat"]
    assert third - first < 0.5 <= (fourth - third) / 0.85
    assert run.cancelled is None


async def test_a_beat_that_hangs_does_not_silence_its_task() -> None:
    client, run = Scripted(), Run()
    beat, hung = client.send_task_heartbeat, list[str]()

    async def first_hangs(token: str) -> None:
        if not hung:
            hung.append(token)
            await anyio.sleep_forever()
        await beat(token)

    client.send_task_heartbeat = first_hangs  # type: ignore[method-assign]
    heartbeats = Heartbeats(client, Metrics(active=False))
    async with anyio.create_task_group() as group:
        group.start_soon(heartbeats.run)
        with anyio.fail_after(5), heartbeats.beating(run, 0.1):
            await beats(client, 2)
        group.cancel_scope.cancel()


async def test_a_closed_token_cancels_the_handler_and_ends_the_beating() -> None:
    client, run = Scripted(), Run()
    client.answers["beat"] = [fault(TaskClosedError, "TaskTimedOut")]
    heartbeats = Heartbeats(client, Metrics(active=False))
    async with anyio.create_task_group() as group:
        group.start_soon(heartbeats.run)
        with heartbeats.beating(run, 0.02), heartbeats.beating(Run("other"), 0.05):
            await beats(client, 3)
        group.cancel_scope.cancel()
    assert run.cancelled is CancelReason.TASK_CLOSED
    assert [call[1] for call in client.calls].count("token") == 1


async def test_beats_of_tasks_received_together_are_spread() -> None:
    client = Scripted()
    heartbeats = Heartbeats(client, Metrics(active=False))
    async with anyio.create_task_group() as group:
        group.start_soon(heartbeats.run)
        async with anyio.create_task_group() as tasks:

            async def one(number: int) -> None:
                with heartbeats.beating(Run(str(number)), 0.5):
                    await beats(client, 50)

            for number in range(50):
                tasks.start_soon(one, number)
        group.cancel_scope.cancel()
    times = client.times["beat"]
    assert len(set(times[:50])) > 10


@pytest.mark.parametrize("name", ["fast", "botocore"])
async def test_a_thousand_unanswered_beats_keep_no_report_waiting(name: ClientName) -> None:
    begun: set[str] = set()
    never = asyncio.Event()

    async def answer(request: web.Request) -> web.Response:
        if request.headers["X-Amz-Target"].endswith("SendTaskHeartbeat"):
            begun.add((await request.json())["taskToken"])
            await never.wait()
        return web.json_response({})

    session = get_session()
    session.set_config_variable("region", "us-east-1")
    session.set_credentials("key", "secret")
    session.set_default_client_config(
        AioConfig(read_timeout=300)
    )  # no beat gives up meanwhile, however slow the machine
    async with (
        served(answer) as url,
        open_stepfunctions(Connection(session, url), name, polls=1, reports=2 * 100 + 1) as client,
        anyio.create_task_group() as group,
    ):
        heartbeats = Heartbeats(client, Metrics(active=False), at_once=100)
        group.start_soon(heartbeats.run)
        for number in range(1_000):
            heartbeats.beat(Run(str(number)))
        while len(begun) < 100:
            await anyio.sleep(0.01)
        reports = Reports(client, Metrics(active=False))
        fates = [fate for fate, _ in [await reports.success("token", "{}") for _ in range(20)]]
        assert fates == [Fate.ACCEPTED] * 20
        assert len(begun) == 100
        never.set()
        group.cancel_scope.cancel()


@asynccontextmanager
async def served(answer: Callable[[web.Request], Awaitable[web.Response]]) -> AsyncIterator[str]:
    app = web.Application()
    app.router.add_post("/", answer)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


async def test_closed_beats_do_not_pile_up_and_open_ones_still_beat() -> None:
    client, long = Scripted(), Run("long")
    heartbeats = Heartbeats(client, Metrics(active=False))
    async with anyio.create_task_group() as group:
        group.start_soon(heartbeats.run)
        with heartbeats.beating(long, 0.2):
            for number in range(5_000):
                beat = heartbeats.beating(Run(str(number)), 3_600)
                if number % 2:
                    heartbeats._queue_fresh()  # as after half of an interval
                beat.close()
                assert len(heartbeats._fresh) <= 1
                assert len(heartbeats._due) <= 600
            beat = heartbeats.beating(Run("twice"), 3_600)
            beat.close()
            beat.close()
            await beats(client, 2)
        group.cancel_scope.cancel()
    assert {call[1] for call in client.calls} == {"long"}
