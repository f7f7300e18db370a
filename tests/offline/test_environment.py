"""Handlers with all that stands around them, and no server."""

import asyncio
import os
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import anyio
import pytest

from interceptors import Payload, Retry, Timeout
from workers import Registry, Task, TaskCancelledError, UsageError
from workers.envelope import TaskContext
from workers.offline.environment import ActivityEnvironment
from workers.signatures import InvalidInputError, InvalidOutputError
from workers.supervisor.tasks.output import OutputTooLargeError
from workers.task import CancelReason

KNOWN = TaskContext(execution="arn:aws:states:us-east-1:123456789012:execution:orders:1", state="Work", retry=0)


def where() -> int:
    return os.getpid()


def environment(function: Any, *, registry: Registry | None = None, **options: Any) -> ActivityEnvironment:
    registry = Registry() if registry is None else registry
    registry.add("work", function, **options)
    return ActivityEnvironment(registry)


async def test_every_kind_of_handler_runs() -> None:
    async def in_loop(x: int) -> int:
        return x

    def in_thread(x: int) -> list[Any]:
        return [x, threading.current_thread() is threading.main_thread()]

    assert await environment(in_loop).run("work", {"x": 1}) == 1
    assert await environment(in_thread).run("work", {"x": 2}) == [2, False]
    assert await environment(where, process=True).run("work") != os.getpid()


async def test_input_and_result_are_what_json_makes_of_them() -> None:
    async def keys(value: dict[str, Any], /) -> dict[Any, Any]:
        return {"seen": value, "pair": (1, 2)}

    assert await environment(keys).run("work", {"a": (1,)}) == {"seen": {"a": [1]}, "pair": [1, 2]}


async def test_interceptors_stand_around_the_handler() -> None:
    seen: list[str] = []

    async def outer(task: Task, call_next: Any) -> Any:
        seen.append(f"before {task.activity}")
        return [await call_next(task)]

    tries = iter([ConnectionError("once"), None])

    async def work() -> str:
        if error := next(tries):
            raise error
        return "done"

    retry = Retry(on=ConnectionError, wait_initial=0.01)
    found = environment(work, registry=Registry(interceptors=[outer]), interceptors=[retry])
    assert await found.run("work") == ["done"]
    assert seen == ["before work"]


async def test_lifespans_are_entered_for_each_run_or_once_around_all() -> None:
    seen: list[str] = []

    @asynccontextmanager
    async def lifespan() -> AsyncIterator[None]:
        seen.append("in")
        yield
        seen.append("out")

    found = environment(lambda: len(seen), registry=Registry(lifespan=lifespan))
    assert [await found.run("work"), await found.run("work")] == [1, 3]
    seen.clear()
    async with found:
        assert [await found.run("work"), await found.run("work")] == [1, 1]
    assert seen == ["in", "out"]


async def test_what_a_handler_raises_is_raised() -> None:
    def work() -> None:
        raise KeyError("no such order")

    with pytest.raises(KeyError, match="no such order"):
        await environment(work).run("work")


async def test_what_does_not_fit_is_refused_as_in_a_worker() -> None:
    async def work(x: int) -> int:
        return "no number" if x else 0  # type: ignore[return-value]

    with pytest.raises(InvalidInputError, match="x: Field required"):
        await environment(work).run("work")
    with pytest.raises(InvalidOutputError):
        await environment(work).run("work", {"x": 1})
    with pytest.raises(UsageError, match="no handler is registered for activity 'other'"):
        await environment(work).run("other")


async def test_a_result_that_is_too_large_is_offloaded_to_memory_or_refused() -> None:
    async def work() -> str:
        return "x" * 300_000

    registry = Registry()
    registry.add("work", work)
    with pytest.raises(OutputTooLargeError, match="300,002 bytes"):
        await ActivityEnvironment(registry, stored=True).run("work")
    async with ActivityEnvironment(registry) as found:
        claim = await found.run("work")
        assert claim["uri"].startswith("memory://")
        assert await found.reload(claim) == "x" * 300_000


async def test_a_payload_interceptor_of_the_registry_chooses_and_memory_stores() -> None:
    async def work(given: list[int]) -> dict[str, Any]:
        return {"kept": "k", "large": given}

    registry = Registry(interceptors=[Payload("s3://nobody-has-this-bucket", keys=["large"], always=True)])
    async with environment(work, registry=registry) as found:
        claims = await found.run("work", {"given": await found.offload([1, 2])})
        assert claims["kept"] == "k"
        assert claims["large"]["uri"].startswith("memory://")
        assert await found.reload(claims) == {"kept": "k", "large": [1, 2]}


async def test_beats_are_recorded_with_their_details() -> None:
    def work(task: Task) -> None:
        task.heartbeat({"done": 1})
        task.heartbeat()

    seen: list[Any] = []
    registry = Registry()
    registry.add("work", work, interceptors=[Timeout(5)])
    found = ActivityEnvironment(registry, on_heartbeat=seen.append)
    await found.run("work")
    assert [beat.details for beat in found.beats] == seen == [{"done": 1}, None]


async def test_progress_of_an_attempt_is_there_for_the_next() -> None:
    async def work(task: Task) -> Any:
        task.heartbeat({"done": 7})
        if task.attempt == 1:
            raise ConnectionError
        return task.progress

    async with environment(work) as found:
        with pytest.raises(ConnectionError):
            await found.run("work", context=KNOWN)
        again = TaskContext(execution=KNOWN.execution, state=KNOWN.state, retry=1)
        assert await found.run("work", context=again) == {"done": 7}
        assert [beat.details for beat in found.beats] == [{"done": 7}] * 2


async def test_the_interceptor_beats_by_itself() -> None:
    async def work() -> None:
        while len(found.beats) < 3:
            await anyio.sleep(0.01)

    found = environment(work, heartbeat=0.01)
    await found.run("work")
    beats = len(found.beats)
    await anyio.sleep(0.05)
    assert len(found.beats) == beats


@pytest.mark.parametrize("reason", CancelReason)
async def test_a_handler_is_cancelled_with_a_reason(reason: CancelReason) -> None:
    reasons: list[CancelReason | None] = []

    async def work(task: Task) -> None:
        try:
            await anyio.sleep_forever()
        finally:
            reasons.append(task.cancel_reason)

    found = environment(work)
    run = asyncio.create_task(found.run("work"))
    await found.started()
    found.cancel(reason)
    with pytest.raises(TaskCancelledError, match=str(reason)):
        await run
    assert reasons == [reason]


async def test_a_heartbeat_can_be_what_cancels() -> None:
    def work(task: Task) -> None:
        while True:
            task.heartbeat()

    registry = Registry()
    registry.add("work", work)
    found = ActivityEnvironment(registry, on_heartbeat=lambda _: found.cancel())
    with pytest.raises(TaskCancelledError, match="task_closed"):
        await found.run("work")


async def test_there_must_be_something_to_cancel() -> None:
    with pytest.raises(UsageError, match="no handler runs"):
        environment(where).cancel()


async def test_a_handler_hears_of_the_drain() -> None:
    async def work(task: Task) -> str:
        await task.draining
        return "saved"

    found = environment(work)
    run = asyncio.create_task(found.run("work"))
    await found.started()
    found.drain()
    assert await run == "saved"


async def test_the_context_comes_from_the_envelope_or_from_the_test() -> None:
    async def work(task: Task, x: int = 0) -> list[Any]:
        return [x, task.state, task.attempt]

    found = environment(work)
    assert await found.run("work") == [0, None, None]
    assert await found.run("work", {"_context": {"state": "Add", "retry": 1}, "input": {"x": 2}}) == [2, "Add", 2]
    assert await found.run("work", {"x": 1}, context=KNOWN) == [1, "Work", 1]
