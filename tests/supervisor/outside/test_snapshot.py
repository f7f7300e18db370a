"""Snapshots of running tasks: where their handlers are, and nothing of what they hold."""

import asyncio
import json
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

from tests.supervisor.outside.standins import Name, Run, Standing
from workers.envelope import TaskContext
from workers.supervisor.invocation.threads import Threads
from workers.supervisor.outside.snapshot import snapshot
from workers.supervisor.outside.stacks import stack_of_task, stack_of_thread
from workers.task import CancelReason, Task


def task(**context: object) -> Task:
    return Task(activity="add", token="secret-token", input={"card": "4111"}, context=TaskContext(**context), run=None)


async def inner(reached: asyncio.Event, go: asyncio.Event) -> None:
    reached.set()
    await go.wait()


async def handler(reached: asyncio.Event, go: asyncio.Event) -> None:
    await inner(reached, go)


async def test_a_task_is_shown_with_ids_and_times_but_no_payload_and_no_token() -> None:
    now = time.monotonic()
    run = Run(
        activity=Name("add"),
        label="abc",
        started=now - 5,
        last_beat=now - 2,
        cancel_reason=CancelReason.SHUTDOWN,
        task=task(execution="arn:run", state="Add", retry=1, entered=datetime.now(UTC)),
    )
    shown = snapshot(Standing(running=[run, Run(started=now - 9, label="old")])(), threading.get_ident())

    json.dumps(shown)
    assert (shown["worker"], shown["phase"]) == ("host-1", "running")
    old, young = shown["tasks"]
    assert old["task"] == "old"
    assert (old["execution"], old["state"], old["attempt"], old["last_beat"]) == (None, None, None, None)
    assert (young["activity"], young["task"]) == ("add", "abc")
    assert (young["execution"], young["state"], young["attempt"]) == ("arn:run", "Add", 2)
    assert 5 <= young["age"] < 15
    assert 2 <= young["last_beat"] < 12
    assert young["cancelled"] == "shutdown"
    assert "secret" not in str(shown)
    assert "4111" not in str(shown)


async def test_an_async_handler_is_shown_through_all_that_it_awaits() -> None:
    reached, go = asyncio.Event(), asyncio.Event()
    running = asyncio.create_task(handler(reached, go))
    await reached.wait()
    (shown,) = snapshot(Standing(running=[Run(worked_on=running)])(), threading.get_ident())["tasks"]
    go.set()
    await running

    assert [line.partition(" in ")[2] for line in shown["stack"][:2]] == [
        "handler: await inner(reached, go)",
        "inner: await go.wait()",
    ]


async def test_a_handler_in_a_thread_is_shown_where_its_thread_is() -> None:
    go, there = threading.Event(), threading.Event()

    def plain_handler() -> None:
        there.set()
        go.wait(10)

    threads = Threads(1)
    call = threads.start(plain_handler)
    assert there.wait(10)
    run = Run(worked_on=asyncio.current_task(), thread_id=call.ident)
    (shown,) = snapshot(Standing(running=[run])(), threading.get_ident())["tasks"]
    go.set()
    await call.result()
    threads.close()

    assert "plain_handler: go.wait(10)" in shown["stack"][0]


async def test_a_thread_that_has_ended_leaves_the_view_to_the_async_task() -> None:
    thread = threading.Thread(target=lambda: None)
    thread.start()
    thread.join()
    assert stack_of_thread(thread.ident) == []
    reached, go = asyncio.Event(), asyncio.Event()
    running = asyncio.create_task(handler(reached, go))
    await reached.wait()
    run = Run(worked_on=running, thread_id=thread.ident)
    (shown,) = snapshot(Standing(running=[run])(), threading.get_ident())["tasks"]
    go.set()
    await running

    assert "handler" in shown["stack"][0]


async def test_a_handler_that_has_the_event_loop_now_is_shown_at_its_very_line() -> None:
    async def crunch() -> list[str]:
        return sum_up(asyncio.current_task(), threading.get_ident())

    def sum_up(task: asyncio.Task[object], loop: int) -> list[str]:
        with ThreadPoolExecutor(1) as other:
            return other.submit(stack_of_task, task, loop).result()  # blocks the event loop meanwhile

    stack = await asyncio.create_task(crunch())

    assert "crunch: return sum_up" in stack[0]
    assert "sum_up: return other.submit" in stack[1]


async def test_a_wait_inside_the_machinery_is_still_shown() -> None:
    running = asyncio.create_task(asyncio.sleep(60))
    await asyncio.sleep(0)
    stack = stack_of_task(running, threading.get_ident())
    running.cancel()

    assert "in sleep" in stack[-1]
