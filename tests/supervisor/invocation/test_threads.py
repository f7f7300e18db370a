"""Threads that go on after their task was given up: counted, never more than slots, and none starts beside another."""

import json
import threading
import time

import anyio

from interceptors.retries import Retry
from interceptors.timeout import HandlerTimeoutError
from tests.account import Account, task, unique
from tests.supervisor.test_worker import working
from workers import Registry
from workers.metrics import ABANDONED_THREADS
from workers.supervisor.invocation.threads import Threads

TOGETHER = 50


class Work:
    """A handler that goes on until it is let go, and counts itself."""

    def __init__(self) -> None:
        self.go = threading.Event()
        self.begun = 0
        self.at_once = 0
        self.most_at_once = 0
        self._lock = threading.Lock()

    def run(self) -> str:
        with self._lock:
            self.begun += 1
            self.at_once += 1
            self.most_at_once = max(self.most_at_once, self.at_once)
        self.go.wait(20)
        with self._lock:
            self.at_once -= 1
        return "done"


async def test_attempts_in_threads_that_do_not_end_never_run_beside_each_other(account: Account) -> None:
    registry, names, work = Registry(), [unique("stuck"), unique("other")], Work()
    again = Retry(on=HandlerTimeoutError, attempts=4, wait_initial=0, wait_jitter=0)
    registry.add(names[0], work.run, timeout=0.1, concurrency=1, interceptors=[again])
    registry.add(names[1], lambda: "other", concurrency=1)
    async with working(registry, health_port=0) as worker:
        assert (await account.failure(task(names[0]), {}))[0] == "Worker.HandlerTimeout"
        assert (work.begun, work.most_at_once) == (1, 1)
        assert await account.output(task(names[1]), {}) == "other"  # whose slot has a thread of its own
        metrics = worker.metrics.registry
        assert metrics
        assert metrics.get_sample_value(ABANDONED_THREADS.name) == 1.0
        assert metrics.get_sample_value("workers_slots_used", {"activity": names[0]}) == 1.0
        work.go.set()
        while metrics.get_sample_value(ABANDONED_THREADS.name):
            await anyio.sleep(0.01)
        assert await account.output(task(names[0]), {}) == "done"


async def test_an_attempt_begins_once_the_thread_of_the_one_before_has_ended(account: Account) -> None:
    registry, name, begun = Registry(), unique("late"), list[float]()
    again = Retry(on=HandlerTimeoutError, attempts=10, wait_initial=0, wait_jitter=0)

    @registry.activity(name, timeout=0.4, concurrency=1, interceptors=[again])
    def late() -> str:
        begun.append(time.monotonic())
        if len(begun) == 1:
            time.sleep(0.6)
        return "done"

    async with working(registry):
        assert await account.output(task(name), {}) == "done"
    assert begun[1] - begun[0] >= 0.6


async def test_more_threads_than_any_default_allows_work_at_the_same_time(account: Account) -> None:
    """anyio's own limiter would let 40 threads work, asyncio's executor fewer: each slot has its thread."""
    registry, name, together = Registry(), unique("together"), threading.Barrier(TOGETHER)

    @registry.activity(name, concurrency=TOGETHER, pollers=TOGETHER)
    def meet(_: int, /) -> int:
        together.wait(60)  # breaks, and the tasks fail, when one of them cannot begin
        return threading.get_ident()

    half = {"StartAt": "Map", "States": {"Map": {"Type": "Map", "ItemProcessor": task(name), "End": True}}}
    await account.client.create_activity(name=name)
    async with working(registry):
        executions = [await account.start(half, [0] * (TOGETHER // 2)) for _ in range(2)]  # one runs about 40 at once
        threads = [json.loads((await account.ended(execution))["output"]) for execution in executions]
    assert len({*threads[0], *threads[1]}) == TOGETHER


async def test_threads_whose_calls_have_ended_end_with_the_pool() -> None:
    for _ in range(50):
        threads = Threads(2)
        await threads.start(lambda: None).result()
        threads.close()
        assert not any(thread.is_alive() for thread in threads._pool._threads)
