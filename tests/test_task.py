"""A task as handlers and interceptors see it."""

import asyncio
import dataclasses
from contextlib import AbstractContextManager, nullcontext
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.ids import shown
from workers.envelope import TaskContext
from workers.errors import TaskCancelledError
from workers.task import CancelReason, Draining, Task

NOON = datetime(2024, 5, 6, 12, 0, 0, tzinfo=UTC)


class Run:
    """The worker's side of a task, which notes what was asked of it."""

    def __init__(self) -> None:
        self.cancel_reason: CancelReason | None = None
        self.draining = Draining()
        self.beats = 0

    def beat(self) -> None:
        self.beats += 1

    def beating(self, interval: float | None) -> AbstractContextManager[None]:
        return nullcontext()


def make(value: Any = None, *, run: Run | None = None, **fields: Any) -> Task:
    context = TaskContext(**fields) if fields else None
    return Task(activity="add", token="secret-token", input=value, context=context, received=NOON, run=run or Run())


def test_a_task_is_frozen_and_shows_neither_token_nor_input():
    task = make({"password": "hunter2"}, state="Charge")
    with pytest.raises(dataclasses.FrozenInstanceError):
        task.input = 1  # type: ignore[misc]
    assert repr(task) == "Task(activity='add')"


def test_replace_gives_a_copy_with_another_input():
    task = make({"x": 1}, state="Charge")
    copy = task.replace(input={"x": 2})
    assert (task.input, copy.input) == ({"x": 1}, {"x": 2})
    assert (copy.activity, copy.token, copy.context, copy.run) == (task.activity, task.token, task.context, task.run)
    assert copy.original is task
    assert copy.replace(input=3).original is task


def test_a_task_knows_where_it_comes_from():
    task = make(execution="arn:x", state="Charge", retry=2, entered=NOON - timedelta(seconds=1.5))
    assert (task.execution, task.state, task.attempt, task.queued_seconds) == ("arn:x", "Charge", 3, 1.5)
    assert make(retry=0).attempt == 1


def test_without_a_context_all_of_that_is_none():
    task = make()
    assert (task.execution, task.state, task.attempt, task.queued_seconds, task.idempotency_key) == (None,) * 5


def test_a_clock_that_runs_behind_gives_no_negative_wait():
    assert make(entered=NOON + timedelta(seconds=3)).queued_seconds == 0


def key(value: Any, execution: str | None = "arn:x", state: str | None = "Charge", **fields: Any) -> str | None:
    return make(value, execution=execution, state=state, **fields).idempotency_key


def test_the_idempotency_key_is_the_same_for_every_attempt_of_the_same_work():
    first = key({"a": 1, "b": [1, 2]}, retry=0, entered=NOON)
    assert first == key({"b": [1, 2], "a": 1}, retry=4, entered=NOON + timedelta(hours=1), redrive=1)
    assert first
    assert len(first) == 64


def test_the_idempotency_key_differs_with_execution_state_and_input():
    keys = {key(1), key(1, execution="arn:y"), key(1, state="Refund"), key(2), key("1"), key(None), key([1]), key(1.5)}
    assert len(keys) == 8


def test_the_idempotency_key_is_that_of_the_input_as_received():
    task = make({"x": 1}, execution="arn:x", state="Charge")
    assert task.replace(input=b"not even JSON").idempotency_key == task.idempotency_key
    assert task.replace(input=1).replace(input=2).idempotency_key == task.idempotency_key


def test_the_idempotency_key_needs_execution_and_state():
    assert key(1, execution=None) is None
    assert key(1, state=None) is None


@pytest.mark.parametrize("value", ["\ud800", {"\udfff": "ü"}, float("nan"), float("inf"), 10**400, "\x00"], ids=shown)
def test_whatever_json_can_hold_has_an_idempotency_key(value: Any):
    assert key(value) == key(value)


def test_a_handler_is_told_to_stop_by_check_and_by_heartbeat():
    run = Run()
    task = make(run=run)
    task.check()
    task.heartbeat()
    assert (task.cancelled, task.cancel_reason, run.beats) == (False, None, 1)

    run.cancel_reason = CancelReason.SHUTDOWN
    assert (task.cancelled, task.cancel_reason) == (True, "shutdown")
    with pytest.raises(TaskCancelledError, match="the task was cancelled: shutdown"):
        task.check()
    with pytest.raises(TaskCancelledError):
        task.heartbeat()
    assert run.beats == 1


async def test_draining_can_be_asked_and_awaited():
    task = make()
    waiting = asyncio.ensure_future(wait_for(task))
    await asyncio.sleep(0)
    assert not task.draining.is_set()
    assert not waiting.done()

    task.run.draining.set()
    assert await waiting == "drained"
    assert task.draining.is_set()
    await task.draining


async def wait_for(task: Task) -> str:
    await task.draining
    return "drained"


async def test_a_worker_made_before_the_event_loop_runs_can_drain_in_it():
    task = await asyncio.to_thread(make)  # no event loop in that thread, as at the top of a script
    task.run.draining.set()
    assert await wait_for(task) == "drained"
