"""Stepwise's cases about heartbeats, and the faults of its heartbeat loop, which ours must not have.

The chain is the real one, with the worker's scheduler; only Step Functions is a script.
"""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractContextManager, asynccontextmanager

import anyio
import pytest

from interceptors import Heartbeat, Payload, Retry
from interceptors.chain import CallNext, compose
from tests.interceptors.tasks import Run, make
from tests.supervisor.scripted import Scripted, fault
from workers.metrics import Metrics
from workers.stepfunctions.protocol import TaskClosedError, TransientError
from workers.supervisor.tasks.heartbeats import Heartbeats
from workers.task import CancelReason, Task

EACH = 0.1
"""Seconds between heartbeats here."""


class BeatingRun(Run):
    """The worker's side of a task that beats for real."""

    def __init__(self, heartbeats: Heartbeats) -> None:
        super().__init__()
        self.token = self.label = "token"
        self.last_beat: float | None = None
        self.scope = anyio.CancelScope()
        self._heartbeats = heartbeats

    def beating(self, interval: float | None) -> AbstractContextManager[None]:
        return self._heartbeats.beating(self, interval or EACH)

    def cancel(self, reason: CancelReason) -> None:
        self.cancel_reason = reason
        self.scope.cancel()


@asynccontextmanager
async def beating(client: Scripted) -> AsyncIterator[BeatingRun]:
    heartbeats = Heartbeats(client, Metrics(active=False))
    async with anyio.create_task_group() as group:
        group.start_soon(heartbeats.run)
        yield BeatingRun(heartbeats)
        group.cancel_scope.cancel()


def number(client: Scripted) -> int:
    return len(client.times["beat"])


async def until(condition: Callable[[], bool]) -> None:
    with anyio.fail_after(10):
        while not condition():
            await anyio.sleep(0.005)


async def test_stepwise_case_14_beats_come_after_each_interval():
    """Every second for three seconds are two beats there: the first comes after one interval, not at once."""
    client = Scripted()

    async def handler(task: Task) -> float:
        assert number(client) == 0
        await until(lambda: number(client) == 2)
        return anyio.current_time()

    async with beating(client) as run:
        begun = anyio.current_time()
        ended = await compose([Heartbeat(EACH)], handler)(make(run=run))
    assert ended - begun >= 2 * 0.9 * EACH, "a beat may come a tenth of its interval early"


async def test_stepwise_case_15_a_beat_that_is_refused_for_good_is_the_last_and_no_error_escapes():
    client = Scripted()
    client.answers["beat"] = [fault(TaskClosedError)]

    async def handler(task: Task) -> None:
        await anyio.sleep_forever()

    async with beating(client) as run:
        with run.scope:
            await compose([Heartbeat(EACH)], handler)(make(run=run))
        await anyio.sleep(3 * EACH)
    assert number(client) == 1
    assert run.cancel_reason is CancelReason.TASK_CLOSED


async def test_bug_4_1_11_one_transient_error_does_not_end_the_beating():
    client = Scripted()
    client.answers["beat"] = [fault(TransientError), fault(TransientError)]

    async def handler(task: Task) -> str:
        await until(lambda: number(client) >= 4)
        return "done"

    async with beating(client) as run:
        assert await compose([Heartbeat(EACH)], handler)(make(run=run)) == "done"


async def test_beats_go_on_between_the_attempts_of_a_retry():
    client, calls = Scripted(), []

    async def handler(task: Task) -> int:
        calls.append(number(client))
        if len(calls) == 1:
            raise ConnectionError
        return calls[1] - calls[0]

    retry = Retry(on=ConnectionError, wait_initial=10 * EACH, wait_jitter=0.0)
    async with beating(client) as run:
        assert await compose([Heartbeat(EACH), retry], handler)(make(run=run)) >= 2


async def test_bug_4_1_11_the_beating_ends_with_the_handler():
    client = Scripted()

    async def handler(task: Task) -> None:
        await until(lambda: number(client) >= 1)

    async with beating(client) as run:
        await compose([Heartbeat(EACH)], handler)(make(run=run))
        before = number(client)
        await anyio.sleep(3 * EACH)
        assert number(client) == before


async def test_bug_4_1_11_a_task_that_timed_out_cancels_its_handler():
    client = Scripted()
    client.answers["beat"] = [fault(TaskClosedError)]
    cancelled = []

    async def handler(task: Task) -> None:
        try:
            await anyio.sleep_forever()
        finally:
            cancelled.append(task.cancel_reason)

    async with beating(client) as run:
        with run.scope:
            await compose([Heartbeat(EACH)], handler)(make(run=run))
    assert cancelled == [CancelReason.TASK_CLOSED]


async def test_bug_4_1_11_beats_go_on_while_a_payload_is_loaded_and_in_slow_interceptors(
    monkeypatch: pytest.MonkeyPatch,
):
    client = Scripted()

    async def slow(task: Task, call_next: CallNext) -> object:
        before = number(client)
        await until(lambda: number(client) > before)
        return await call_next(task)

    async def handler(task: Task) -> object:
        return task.input

    async with Payload("memory://heartbeats") as payload, beating(client) as run:
        claim = await payload.payloads.offload([1, 2], always=True)
        get = payload.payloads.store.get

        async def slow_get(key: str, limit: int) -> bytes:
            await until(lambda: number(client) >= 2)
            return await get(key, limit)

        monkeypatch.setattr(payload.payloads.store, "get", slow_get)
        chain = compose([Heartbeat(EACH), payload, slow], handler)
        assert await chain(make(claim, run=run)) == [1, 2]
    assert number(client) >= 3
