"""Cancelling whoever runs, starts or leaves a worker drains it as a first signal does, and forces it a second time.

That holds from the first turn on.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import anyio
import anyio.lowlevel
import pytest

from tests.account import SESSION, Account, task, unique
from tests.chaos.faults import Fault, always, no_faults
from tests.chaos.proxy import Proxy, proxy_to
from workers import Registry, Settings, Task, Worker
from workers.errors import ErrorName, ExitCode
from workers.local import LocalStepFunctions
from workers.supervisor.drain import Phase

FIRST_TURNS = pytest.mark.parametrize("turns", [1, 2, 3])


@asynccontextmanager
async def never_ready() -> AsyncIterator[None]:
    await anyio.sleep_forever()
    yield


def starting() -> Worker:
    """A worker that would not get beyond its start."""
    registry = Registry(lifespan=never_ready)
    registry.add(unique("never"), lambda event, /: event)
    return Worker(registry, session=SESSION)


@FIRST_TURNS
@pytest.mark.parametrize("end", [Worker.drain, Worker.stop, Worker.drop], ids=lambda end: end.__name__)
async def test_a_worker_can_be_ended_in_the_turn_in_which_it_begins(
    account: Account, end: Callable[[Worker], Awaitable[ExitCode]], turns: int
) -> None:
    worker = starting()
    life = asyncio.create_task(worker.run())
    for _ in range(turns):
        await asyncio.sleep(0)
    with anyio.fail_after(30):
        assert await end(worker) is ExitCode.OK
        assert await life is ExitCode.OK


@FIRST_TURNS
async def test_a_worker_can_be_cancelled_in_the_turn_in_which_it_begins(account: Account, turns: int) -> None:
    worker = starting()
    life = asyncio.create_task(worker.run())
    for _ in range(turns):
        await asyncio.sleep(0)
    life.cancel()
    with anyio.fail_after(30):
        with pytest.raises(asyncio.CancelledError):
            await life
        await worker.ended()


@FIRST_TURNS
async def test_a_start_can_be_cancelled_in_the_turn_in_which_it_begins(account: Account, turns: int) -> None:
    worker = starting()
    start = asyncio.create_task(worker.start())
    for _ in range(turns):
        await asyncio.sleep(0)
    start.cancel()
    with anyio.fail_after(30):
        with pytest.raises(asyncio.CancelledError):
            await start
        assert await worker.ended() is ExitCode.OK


async def test_a_worker_whose_start_is_cancelled_is_over_when_its_caller_goes_on(account: Account) -> None:
    scope, closed = anyio.CancelScope(), anyio.Event()

    @asynccontextmanager
    async def slow() -> AsyncIterator[None]:
        scope.cancel()
        try:
            await anyio.sleep_forever()
            yield
        finally:
            await anyio.lowlevel.checkpoint()
            closed.set()

    registry = Registry(lifespan=slow)
    registry.add(unique("never"), lambda event, /: event)
    with scope:
        async with Worker(registry, session=SESSION):
            raise AssertionError("it has started")
    assert scope.cancelled_caught
    assert closed.is_set()


@pytest.mark.parametrize("when", ["inside", "leaving"])
async def test_a_worker_that_is_left_in_a_cancelled_scope_has_drained(account: Account, when: str) -> None:
    scope, running, closed = anyio.CancelScope(), anyio.Event(), anyio.Event()

    @asynccontextmanager
    async def lifespan() -> AsyncIterator[None]:
        yield
        await anyio.lowlevel.checkpoint()
        closed.set()

    registry, name = Registry(lifespan=lifespan), unique("slow")

    @registry.activity(name)
    async def slow(task: Task) -> str:
        running.set()
        await task.draining
        scope.cancel()
        await anyio.sleep(0.1)
        return "done"

    with scope:
        async with Worker(registry, Settings(grace=10), session=SESSION):
            execution = await account.start(task(name), {})
            await running.wait()
            if when == "inside":
                scope.cancel()
    assert scope.cancelled_caught
    assert closed.is_set()
    assert (await account.ended(execution))["status"] == "SUCCEEDED"


async def inside(worker: Worker) -> None:
    """Works until it is cancelled."""
    async with worker:
        await anyio.sleep_forever()


@dataclass
class Scene:
    """A worker that runs as a task of the test, behind the proxy."""

    account: Account
    proxy: Proxy
    worker: Worker
    life: "asyncio.Task[object]"
    activity: str
    begun: anyio.Event

    async def draining(self) -> None:
        """Cancels the worker, and waits until it drains."""
        self.life.cancel()
        while self.worker.status().phase == Phase.RUNNING:
            await anyio.sleep(0.01)

    async def ended(self) -> None:
        """Waits for the end of the worker, which was cancelled."""
        with pytest.raises(asyncio.CancelledError):
            await self.life

    async def calls(self, operation: str) -> None:
        """Waits until the worker has made such a call."""
        await self.proxy.record.until(lambda: self.proxy.record.of(operation))


Set = Callable[..., Any]
Live = Callable[[Worker], Coroutine[Any, Any, object]]
LIVES = pytest.mark.parametrize("live", [Worker.run, inside], ids=["run", "inside"])


@pytest.fixture
def scene(account: Account, engine: LocalStepFunctions, monkeypatch: pytest.MonkeyPatch) -> Set:
    """A scene whose handler ends after `seconds`, in a worker with these settings."""

    @asynccontextmanager
    async def scene(live: Live = Worker.run, **settings: Any) -> AsyncIterator[Scene]:
        registry, name, begun = Registry(), unique("cancelled"), anyio.Event()

        @registry.activity(name)
        async def work(seconds: float) -> str:
            begun.set()
            await anyio.sleep(seconds)
            return "done"

        async with proxy_to(engine.url) as proxy:
            monkeypatch.setenv("AWS_ENDPOINT_URL", proxy.url)
            worker = Worker(registry, Settings(account="123456789012", **settings), session=SESSION)
            life = asyncio.create_task(live(worker))
            with anyio.fail_after(60):
                yield Scene(account, proxy, worker, life, name, begun)

    return scene


async def test_idle_polls_are_awaited(scene: Set) -> None:
    async with scene() as at:
        await at.proxy.record.until(at.proxy.record.open_polls)
        await at.draining()
        await at.ended()
        assert all(poll.answered for poll in at.proxy.record.of("GetActivityTask"))


@LIVES
async def test_a_task_that_arrives_during_the_drain_is_run(scene: Set, live: Live) -> None:
    async with scene(live) as at:
        async with at.proxy.holding("GetActivityTask"):
            await at.calls("GetActivityTask")
            await at.draining()
            execution = await at.account.start(task(at.activity), {"seconds": 0})
        await at.ended()
        assert (await at.account.ended(execution))["status"] == "SUCCEEDED"


async def test_a_handler_that_exceeds_the_grace_is_cancelled(scene: Set) -> None:
    async with scene(grace=0.1) as at:
        execution = await at.account.start(task(at.activity), {"seconds": 3600})
        await at.begun.wait()
        await at.draining()
        await at.ended()
        assert (await at.account.ended(execution))["error"] == ErrorName.SHUTTING_DOWN


async def test_a_report_is_repeated_until_it_is_taken(scene: Set) -> None:
    async with scene() as at:
        at.proxy.faults = always("SendTask", Fault.SERVER_ERROR)
        execution = await at.account.start(task(at.activity), {"seconds": 0})
        await at.calls("SendTaskSuccess")
        await at.draining()
        at.proxy.faults = no_faults
        await at.ended()
        assert (await at.account.ended(execution))["status"] == "SUCCEEDED"


@LIVES
async def test_a_second_time_drops_polls(scene: Set, live: Live) -> None:
    async with scene(live) as at, at.proxy.holding("GetActivityTask"):
        await at.calls("GetActivityTask")
        await at.draining()
        at.life.cancel()
        await at.ended()
        assert await at.worker.ended() is ExitCode.FORCED


@pytest.mark.slow
async def test_a_second_time_while_handlers_are_being_cancelled_gives_up_what_does_not_end(scene: Set) -> None:
    async with scene(grace=0.0) as at:
        at.proxy.faults = always("SendTask", Fault.SERVER_ERROR)
        await at.account.start(task(at.activity), {"seconds": 3600})
        await at.begun.wait()
        await at.draining()
        while at.worker.status().phase != Phase.CANCELLING:
            await anyio.sleep(0.01)
        at.life.cancel()
        await at.ended()
        assert await at.worker.ended() is ExitCode.FORCED
