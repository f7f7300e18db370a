"""A worker on the engine: what becomes of tasks, in every kind of handler."""

import asyncio
import json
import os
import threading
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import anyio
import pytest
from pydantic import BaseModel

from tests.account import SESSION, Account, task, unique
from workers import ActivityError, Registry, Settings, Task, UsageError, Worker
from workers.stepfunctions.protocol import OUTPUT_LIMIT


class Order(BaseModel):
    amount: int


class Receipt(BaseModel):
    paid: int


def crunch(numbers: list[int]) -> list[int]:
    return [sum(numbers), os.getpid()]


def die(signal: int) -> None:
    os.kill(os.getpid(), signal)


def unpicklable() -> None:
    class LocalError(Exception):
        pass

    raise LocalError("from far away")


@asynccontextmanager
async def working(registry: Registry, **settings: Any) -> AsyncIterator[Worker]:
    async with Worker(registry, Settings(**{"grace": 5, **settings}), session=SESSION) as worker:
        yield worker


async def test_async_and_plain_handlers_take_keys_and_give_results(account: Account) -> None:
    registry, names = Registry(), [unique("add"), unique("pay")]

    @registry.activity(names[0])
    async def add(x: int, y: int = 3) -> int:
        return x + y

    @registry.activity(names[1])
    def pay(order: Order, /, task: Task) -> Receipt:
        assert threading.current_thread() is not threading.main_thread()
        assert task.activity == names[1]
        return Receipt(paid=order.amount)

    async with working(registry):
        assert await account.output(task(names[0]), {"x": 1, "other": True}) == 4
        assert await account.output(task(names[1]), {"amount": 7}) == {"paid": 7}


async def test_what_a_handler_raises_becomes_error_and_cause(account: Account) -> None:
    registry, name = Registry(), unique("fail")

    @registry.activity(name)
    async def fail(how: str) -> None:
        if how == "named":
            raise ActivityError("Card.Declined", cause={"code": 5})
        if how == "exit":
            raise SystemExit(3)
        if how == "cancelled":
            raise asyncio.CancelledError
        raise ValueError("no luck")

    async with working(registry):
        error, cause = await account.failure(task(name), {"how": "plain"})
        assert (error, cause["errorType"], cause["errorMessage"]) == ("ValueError", "ValueError", "no luck")
        assert any("raise ValueError" in line for line in cause["stackTrace"])
        assert await account.failure(task(name), {"how": "named"}) == ("Card.Declined", {"code": 5})
        assert (await account.failure(task(name), {"how": "exit"}))[0] == "SystemExit"
        assert (await account.failure(task(name), {"how": "cancelled"}))[0] == "CancelledError"
        assert (await account.failure(task(name), {"how": "plain"}))[0] == "ValueError"  # the worker lives on


async def test_input_that_does_not_fit_says_what_was_expected_and_found(account: Account) -> None:
    registry, name = Registry(), unique("strict")

    @registry.activity(name)
    async def strict(x: int) -> int:
        return x

    async with working(registry):
        for value, said in (([1], "a list"), ({"x": "q"}, "valid integer"), ({}, "Field required")):
            error, cause = await account.failure(task(name), value)
            assert error == "Worker.InvalidInput"
            assert said in cause["errorMessage"]


@pytest.mark.parametrize("value", [object(), float("nan"), {"deep": {1, 2, object()}}], ids=["object", "nan", "nested"])
async def test_a_result_that_json_cannot_hold_fails_the_task(account: Account, value: Any) -> None:
    registry, name = Registry(), unique("odd")
    registry.add(name, lambda event, /: value)
    async with working(registry):
        error, cause = await account.failure(task(name))
        assert error == "Worker.InvalidOutput"
        assert name in cause["errorMessage"]


async def test_the_size_of_a_result_is_counted_in_bytes_of_utf_8(account: Account) -> None:
    registry, name = Registry(), unique("large")
    registry.add(name, lambda event, /: "é" * event["characters"])
    async with working(registry):
        fits = (OUTPUT_LIMIT - 2) // 2
        assert len(await account.output(task(name), {"characters": fits})) == fits
        error, cause = await account.failure(task(name), {"characters": fits + 1})
        assert error == "Worker.OutputTooLarge"
        assert "262,146 bytes" in cause["errorMessage"]


@pytest.mark.slow
async def test_process_handlers_fail_alone_and_the_pool_heals(account: Account) -> None:
    registry = Registry()
    names = {function: unique(function.__name__) for function in (crunch, die, unpicklable)}
    for function, name in names.items():
        registry.add(name, function, process=True)

    async with working(registry, recycle=2):
        results = [await account.output(task(names[crunch]), {"numbers": [1, 2]}) for _ in range(4)]
        assert {result[0] for result in results} == {3}
        assert os.getpid() not in {result[1] for result in results}
        assert len({result[1] for result in results}) == 2  # renewed after two calls
        error, cause = await account.failure(task(names[die]), {"signal": 9})
        assert (error, cause["errorMessage"]) == ("Worker.HandlerCrashed", "the handler's process was ended by SIGKILL")
        error, cause = await account.failure(task(names[unpicklable]), {})
        assert (error, cause["errorMessage"]) == ("LocalError", "from far away")
        assert any("def unpicklable" in line or "raise LocalError" in line for line in cause["stackTrace"])
        assert (await account.output(task(names[crunch]), {"numbers": [4]}))[0] == 4


async def test_a_nested_function_cannot_run_in_a_process(account: Account) -> None:
    registry = Registry()
    registry.add(unique("nested"), lambda event, /: event, process=True)
    with pytest.raises(UsageError, match="top level of a module"):
        await Worker(registry).start()


async def test_an_envelope_is_taken_off_and_tells_where_the_task_comes_from(account: Account) -> None:
    registry, name, seen = Registry(), unique("context"), list[Task]()

    @registry.activity(name)
    async def context(x: int, task: Task) -> int:
        seen.append(task)
        if task.attempt == 1:
            raise TimeoutError("again")
        return x

    definition = task(
        name,
        Parameters={
            "_context": {
                "execution.$": "$$.Execution.Id",
                "state.$": "$$.State.Name",
                "entered.$": "$$.State.EnteredTime",
                "retry.$": "$$.State.RetryCount",
            },
            "input.$": "$",
        },
        Retry=[{"ErrorEquals": ["TimeoutError"], "IntervalSeconds": 1}],
    )
    async with working(registry):
        execution = await account.start(definition, {"x": 5})
        assert json.loads((await account.ended(execution))["output"]) == 5
    first, second = seen
    assert (first.execution, first.state, first.attempt, second.attempt) == (execution, "Work", 1, 2)
    assert first.queued_seconds is not None
    assert first.idempotency_key == second.idempotency_key is not None


async def test_interceptors_run_around_the_handler_and_shared_things_are_opened_and_closed(account: Account) -> None:
    happened: list[str] = []

    class Outer:
        async def __aenter__(self) -> None:
            happened.append("open")

        async def __aexit__(self, *failed: object) -> None:
            happened.append("close")

        async def __call__(self, task: Task, call_next: Any, /) -> Any:
            happened.append("outer")
            return await call_next(task.replace(input={"x": task.input["x"] + 1}))

    async def inner(task: Task, call_next: Any) -> Any:
        happened.append("inner")
        return [await call_next(task), await call_next(task)]

    @asynccontextmanager
    async def lifespan() -> AsyncIterator[None]:
        happened.append("lifespan")
        yield
        happened.append("end")

    registry, names = Registry(lifespan=lifespan, interceptors=[Outer()]), [unique("one"), unique("two")]
    registry.add(names[0], lambda x: x, interceptors=[inner])
    registry.add(names[1], lambda x: x)
    async with working(registry):
        assert await account.output(task(names[0]), {"x": 1}) == [2, 2]
    assert happened == ["lifespan", "open", "outer", "inner", "close", "end"]


async def test_heartbeats_keep_a_long_task_alive(account: Account) -> None:
    registry, names = Registry(), [unique("long"), unique("manual")]

    @registry.activity(names[0], heartbeat=0.5)
    async def long() -> str:
        await anyio.sleep(3)
        return "done"

    @registry.activity(names[1], heartbeat=0)
    def manual(task: Task) -> str:
        for _ in range(30):
            time.sleep(0.1)
            task.heartbeat()
        return "done"

    async with working(registry):
        limits = {"HeartbeatSeconds": 2, "TimeoutSeconds": 20}
        first, second = [await account.start(task(name, **limits), {}) for name in names]
        assert (await account.ended(first))["status"] == "SUCCEEDED"
        assert (await account.ended(second))["status"] == "SUCCEEDED"


async def test_an_activity_is_there_when_its_worker_starts_and_tasks_name_the_worker(account: Account) -> None:
    registry, name = Registry(), unique("fresh")
    registry.add(name, lambda event, /: event)
    async with working(registry, worker_name="the-worker"):
        execution = await account.start(task(name), 1)
        assert (await account.ended(execution))["status"] == "SUCCEEDED"
        started = await account.reached(execution, "ActivityStarted")
        assert started["activityStartedEventDetails"]["workerName"] == "the-worker"


async def test_no_create_refuses_a_worker_whose_activities_are_all_missing(account: Account) -> None:
    registry = Registry()
    registry.add(unique("absent"), lambda event, /: event)
    with pytest.raises(UsageError, match="none of the worker's activities exists"):
        await Worker(registry, Settings(create=False)).run()


async def test_no_create_works_on_what_there_is(account: Account) -> None:
    registry, names = Registry(), [unique("here"), unique("absent")]
    for name in names:
        registry.add(name, lambda event, /: event)
    await account.client.create_activity(name=names[0])
    async with working(registry, create=False):
        assert await account.output(task(names[0]), 5) == 5
        activities = await account.client.list_activities(maxResults=1000)
        assert names[1] not in {activity["name"] for activity in activities["activities"]}


async def test_a_namespace_stands_before_the_name(account: Account) -> None:
    registry, name = Registry(), unique("spaced")
    registry.add(name, lambda event, /: event)
    async with working(registry, namespace="prod"):
        assert await account.output(task(f"prod--{name}"), 5) == 5


async def test_the_last_task_is_followed_by_a_drain(account: Account) -> None:
    registry, name = Registry(), unique("few")
    registry.add(name, lambda event, /: event)
    worker = Worker(registry, Settings(max_tasks=2, pollers=1))
    async with anyio.create_task_group() as group:
        group.start_soon(worker.run)
        assert [await account.output(task(name), number) for number in range(2)] == [0, 1]
    # The group has ended: the worker drained by itself.


async def test_a_failed_start_says_so_at_once(account: Account) -> None:
    @asynccontextmanager
    async def lifespan() -> AsyncIterator[None]:
        raise ConnectionError("no database")
        yield

    registry = Registry(lifespan=lifespan)
    registry.add(unique("never"), lambda event, /: event)
    with pytest.raises(ConnectionError, match="no database"):
        await Worker(registry).start()


async def test_a_budget_below_the_number_of_activities_is_refused(account: Account) -> None:
    registry = Registry()
    for _ in range(3):
        registry.add(unique("one"), lambda event, /: event)
    with pytest.raises(UsageError, match="--budget 2"):
        await Worker(registry, Settings(budget=2)).run()
