"""Starting, draining, cancelling and stopping a worker inside a program; what breaks; what ends tasks and polls."""

import asyncio
import gc
import os
import pickle
import threading
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import anyio
import anyio.lowlevel
import pytest
from aiobotocore.session import get_session

from tests.account import Account, task, unique
from tests.supervisor.test_worker import working
from workers import Registry, Settings, Task, Worker
from workers.errors import BrokenWorkerError, ExitCode, PausePolling, UsageError
from workers.supervisor.tasks.heartbeats import Heartbeats
from workers.supervisor.tasks.runner import Runner
from workers.supervisor.tasks.running import RunningTask
from workers.task import CancelReason


def burn(seconds: float, file: str) -> None:
    Path(file).write_text(str(os.getpid()))
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        pass


async def test_cancelling_run_drains_and_the_running_task_is_finished(account: Account) -> None:
    registry, name, running = Registry(), unique("slow"), anyio.Event()

    @registry.activity(name)
    async def slow() -> str:
        running.set()
        await anyio.sleep(0.5)
        return "done"

    async with anyio.create_task_group() as group:
        group.start_soon(Worker(registry, Settings(grace=10)).run)
        execution = await account.start(task(name), {})
        await running.wait()
        group.cancel_scope.cancel()
    found = await account.ended(execution)
    assert (found["status"], found["output"]) == ("SUCCEEDED", '"done"')


async def test_cancelling_an_asyncio_task_drains_too_and_a_second_time_forces(account: Account) -> None:
    registry, name, running = Registry(), unique("endless"), asyncio.Event()

    @registry.activity(name)
    async def endless() -> None:
        running.set()
        await anyio.sleep_forever()

    life = asyncio.create_task(Worker(registry, Settings(grace=600)).run())
    execution = await account.start(task(name), {})
    await running.wait()
    life.cancel()
    done, _ = await asyncio.wait({life}, timeout=0.5)
    assert not done
    life.cancel()
    with pytest.raises(asyncio.CancelledError):
        await life
    assert (await account.ended(execution))["error"] == "Worker.ShuttingDown"


async def test_stop_is_the_second_signal(account: Account) -> None:
    registry, name, running = Registry(), unique("endless"), asyncio.Event()

    @registry.activity(name)
    async def endless() -> None:
        running.set()
        await anyio.sleep_forever()

    worker = Worker(registry, Settings(grace=600))
    await worker.start()
    execution = await account.start(task(name), {})
    await running.wait()
    assert await worker.stop() in {ExitCode.FORCED, ExitCode.OK}
    assert (await account.ended(execution))["error"] == "Worker.ShuttingDown"


async def test_the_grace_ends_handlers_of_every_kind_with_a_reason(account: Account, tmp_path: Path) -> None:
    registry = Registry()
    names = {kind: unique(kind) for kind in ("async", "thread", "process")}
    reasons: dict[str, CancelReason | None] = {}
    begun, looked_up = {kind: threading.Event() for kind in names}, threading.Event()

    @registry.activity(names["async"])
    async def in_loop(task: Task) -> None:
        begun["async"].set()
        try:
            await anyio.sleep_forever()
        finally:
            reasons["async"] = task.cancel_reason

    @registry.activity(names["thread"])
    def in_thread(task: Task) -> None:
        begun["thread"].set()
        while not task.cancelled:
            time.sleep(0.01)
        reasons["thread"] = task.cancel_reason
        looked_up.set()

    registry.add(names["process"], burn, process=True)
    pid = tmp_path / "pid"
    worker = Worker(registry, Settings(grace=0.2))
    await worker.start()
    executions = [await account.start(task(names[kind]), {}) for kind in ("async", "thread")]
    executions.append(await account.start(task(names["process"]), {"seconds": 600, "file": str(pid)}))
    for kind in ("async", "thread"):
        await anyio.to_thread.run_sync(begun[kind].wait, 20)
    while not pid.exists() or not pid.read_text():
        await anyio.sleep(0.02)
    assert await worker.drain() is ExitCode.OK
    assert [(await account.ended(execution))["error"] for execution in executions] == ["Worker.ShuttingDown"] * 3
    await anyio.to_thread.run_sync(looked_up.wait, 20)  # a thread is told, and not waited for
    assert reasons == {"async": CancelReason.SHUTDOWN, "thread": CancelReason.SHUTDOWN}
    with pytest.raises(ProcessLookupError):
        os.kill(int(pid.read_text()), 0)


async def test_a_timeout_ends_handlers_of_every_kind(account: Account, tmp_path: Path) -> None:
    registry = Registry()
    names = {kind: unique(kind) for kind in ("async", "thread", "process")}
    reasons: dict[str, CancelReason | None] = {}
    looked_up = threading.Event()

    @registry.activity(names["async"], timeout=0.2)
    async def in_loop(task: Task) -> None:
        try:
            await anyio.sleep_forever()
        finally:
            reasons["async"] = task.cancel_reason

    @registry.activity(names["thread"], timeout=0.2)
    def in_thread(task: Task) -> None:
        while not task.cancelled:
            time.sleep(0.01)
        reasons["thread"] = task.cancel_reason
        looked_up.set()

    registry.add(names["process"], burn, process=True, timeout=2)
    async with working(registry):
        for kind in ("async", "thread"):
            assert (await account.failure(task(names[kind]), {}))[0] == "Worker.HandlerTimeout"
        value = {"seconds": 600, "file": str(tmp_path / "pid")}
        assert (await account.failure(task(names["process"]), value))[0] == "Worker.HandlerTimeout"
    await anyio.to_thread.run_sync(looked_up.wait, 20)
    assert reasons == {"async": CancelReason.TIMEOUT, "thread": CancelReason.TIMEOUT}


async def test_a_slot_is_not_free_before_its_thread_has_ended(account: Account) -> None:
    registry, name, go = Registry(), unique("stuck"), threading.Event()

    @registry.activity(name, timeout=0.2, concurrency=1)
    def stuck(wait: bool) -> str:
        if wait:
            go.wait(20)
        return "done"

    async with working(registry) as worker:
        assert (await account.failure(task(name), {"wait": True}))[0] == "Worker.HandlerTimeout"
        execution = await account.start(task(name), {"wait": False})
        await anyio.sleep(0.5)
        assert [event["type"] for event in await account.events(execution)][-1] == "ActivityScheduled"
        assert worker.status().running == []
        go.set()
        assert (await account.ended(execution))["status"] == "SUCCEEDED"


async def test_a_handler_can_pause_the_polls_of_its_activity(account: Account) -> None:
    registry, name, times = Registry(), unique("down"), list[float]()

    @registry.activity(name, concurrency=1)
    async def down(ok: bool) -> str:
        times.append(anyio.current_time())
        if not ok:
            raise PausePolling(1.0, "the database is down")
        return "up"

    async with working(registry):
        first = await account.start(task(name), {"ok": False})
        found = await account.ended(first)
        assert (found["error"], "the database is down" in found["cause"]) == ("Worker.PausePolling", True)
        assert await account.output(task(name), {"ok": True}) == "up"
    assert times[1] - times[0] >= 0.9


async def test_the_breaker_pauses_after_failures_in_a_row(account: Account) -> None:
    registry, name, times = Registry(), unique("broken"), list[float]()

    @registry.activity(name, concurrency=1, breaker=2)
    async def broken() -> None:
        times.append(anyio.current_time())
        raise ConnectionError

    async with working(registry, breaker_pause=1.0):
        for _ in range(3):
            assert (await account.failure(task(name), {}))[0] == "ConnectionError"
    assert times[2] - times[1] >= 0.9


async def test_a_part_that_breaks_stops_the_worker_loudly_after_its_tasks(
    account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    registry, name, breaks = Registry(), unique("slow"), anyio.Event()

    async def broken(_: Heartbeats) -> None:
        await breaks.wait()
        raise RuntimeError("no beat")

    monkeypatch.setattr(Heartbeats, "run", broken)

    @registry.activity(name)
    async def slow() -> str:
        breaks.set()
        await anyio.sleep(0.3)
        return "done"

    worker = Worker(registry, Settings(grace=10))
    await worker.start()
    assert await account.output(task(name), {}) == "done"
    with pytest.raises(BrokenWorkerError, match="heartbeats broke, RuntimeError: no beat"):
        await worker.drain()


async def test_what_broke_a_worker_that_was_started_is_told_once(
    account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(_: Heartbeats) -> None:
        raise RuntimeError("no beat")

    monkeypatch.setattr(Heartbeats, "run", broken)
    told = list[object]()
    asyncio.get_running_loop().set_exception_handler(lambda _, context: told.append(context))
    registry = Registry()
    registry.add(unique("idle"), lambda event, /: event)
    worker = Worker(registry)
    await worker.start()
    with pytest.raises(BrokenWorkerError):
        await worker.drain()
    del worker
    gc.collect()  # what was never retrieved is told of now
    assert told == []


@pytest.mark.parametrize("seconds", [0, -1, float("nan"), float("inf"), "soon"])
def test_a_pause_that_is_none_is_refused(seconds: object) -> None:
    with pytest.raises((ValueError, TypeError)):
        PausePolling(seconds)  # type: ignore[arg-type]


def test_a_pause_survives_the_way_from_a_process() -> None:
    pause = pickle.loads(pickle.dumps(PausePolling(timedelta(seconds=5))))
    assert (pause.seconds, str(pause)) == (5.0, "polling is paused for 5 s")


async def test_a_fault_of_ours_in_one_task_leaves_the_others_unharmed(
    account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    registry, names, running = Registry(), [unique("slow"), unique("bad")], anyio.Event()

    @registry.activity(names[0])
    async def slow() -> str:
        running.set()
        await anyio.sleep(0.5)
        return "done"

    registry.add(names[1], lambda event, /: event)
    told = Runner._tell

    def broken(self: Runner, run: RunningTask, *rest: object) -> None:
        if run.activity.name == names[1]:
            raise RuntimeError("counting broke")
        told(self, run, *rest)

    monkeypatch.setattr(Runner, "_tell", broken)
    worker = Worker(registry, Settings(grace=10))
    await worker.start()
    execution = await account.start(task(names[0]), {})
    await running.wait()
    assert await account.output(task(names[1]), 1) == 1
    assert (await account.ended(execution))["status"] == "SUCCEEDED"
    with pytest.raises(BrokenWorkerError, match="counting broke"):
        await worker.drain()


@pytest.mark.parametrize("end", [Worker.drain, Worker.stop, Worker.drop], ids=lambda end: end.__name__)
async def test_a_worker_that_still_waits_in_a_lifespan_can_be_ended(
    account: Account, end: Callable[[Worker], Awaitable[ExitCode]]
) -> None:
    waiting, closed = anyio.Event(), anyio.Event()

    @asynccontextmanager
    async def lifespan() -> AsyncIterator[None]:
        async with anyio.create_task_group():
            try:
                waiting.set()
                await anyio.sleep_forever()
                yield
            finally:
                await anyio.lowlevel.checkpoint()
                closed.set()

    registry = Registry(lifespan=lifespan)
    registry.add(unique("never"), lambda event, /: event)
    worker = Worker(registry)
    life = asyncio.create_task(worker.run())
    await waiting.wait()
    with anyio.fail_after(30):
        assert await end(worker) is ExitCode.OK
    assert await life is ExitCode.OK
    assert closed.is_set()


async def test_a_worker_runs_once_and_cannot_end_before_it_runs(account: Account) -> None:
    registry = Registry()
    registry.add(unique("idle"), lambda event, /: event)
    worker = Worker(registry)
    with pytest.raises(UsageError, match="was not started"):
        await worker.drain()
    await worker.start()
    assert await worker.drain() is ExitCode.OK
    with pytest.raises(UsageError, match="make another one"):
        await worker.run()


async def test_several_workers_live_in_one_process_on_one_session(account: Account) -> None:
    session, names = get_session(), [unique("first"), unique("second")]
    registries = [Registry(), Registry()]
    for registry, name in zip(registries, names, strict=True):
        registry.add(name, lambda event, /: event)
    async with (
        Worker(registries[0], Settings(worker_name="one"), session=session),
        Worker(registries[1], Settings(worker_name="two"), session=session),
    ):
        assert [await account.output(task(name), 7) for name in names] == [7, 7]


@pytest.mark.parametrize("client", ["fast", "botocore"])
async def test_both_clients_run_tasks(account: Account, client: str) -> None:
    registry, name = Registry(), unique("either")
    registry.add(name, lambda event, /: event)
    async with working(registry, client=client):
        assert await account.output(task(name), {"é": [1, None]}) == {"é": [1, None]}
