"""A limit on one attempt."""

import threading

import anyio
import pytest

from interceptors import Timeout
from interceptors.timeout import HandlerTimeoutError
from tests.interceptors.tasks import Run, make
from workers.errors import RegistrationError, TaskCancelledError
from workers.failures import failure
from workers.task import CancelReason, Task


async def test_a_handler_that_is_quick_enough_is_left_alone():
    async def handler(task: Task) -> str:
        assert task.cancel_reason is None
        task.heartbeat()
        return "result"

    run = Run()
    assert await Timeout(10)(make(run=run), handler) == "result"
    assert run.beats == 1


async def test_a_slow_handler_is_cancelled_and_fails_by_name():
    async def handler(task: Task) -> None:
        await anyio.sleep_forever()

    with pytest.raises(HandlerTimeoutError, match=r"activity charge took longer than its timeout, 0.02 s") as raised:
        await Timeout(0.02)(make(), handler)
    assert failure(raised.value).error == "Worker.HandlerTimeout"


async def test_a_thread_sees_why_it_should_stop():
    seen: list[object] = []
    over = threading.Event()

    async def handler(task: Task) -> None:
        def work() -> None:
            assert over.wait(10)
            seen.append(task.cancel_reason)
            task.check()

        try:
            await anyio.to_thread.run_sync(work, abandon_on_cancel=True)
        finally:
            over.set()

    task = make()
    with pytest.raises(HandlerTimeoutError):
        await Timeout(0.02)(task, handler)
    with anyio.fail_after(10):
        while not seen:
            await anyio.sleep(0.01)
    assert seen == [CancelReason.TIMEOUT]
    assert task.cancel_reason is None, "only the attempt is over, not the task"


async def test_a_timeout_error_of_the_handler_is_its_own():
    async def handler(task: Task) -> None:
        raise TimeoutError("mine")

    with pytest.raises(TimeoutError, match="mine"):
        await Timeout(10)(make(), handler)


async def test_the_reason_of_the_worker_goes_first():
    run = Run()

    async def handler(task: Task) -> None:
        run.cancel_reason = CancelReason.SHUTDOWN
        assert task.cancel_reason is CancelReason.SHUTDOWN
        with pytest.raises(TaskCancelledError):
            task.check()

    await Timeout(10)(make(run=run), handler)


async def test_a_cancelled_task_is_cancelled_and_not_timed_out():
    async def handler(task: Task) -> None:
        scope.cancel()
        await anyio.sleep_forever()

    with anyio.CancelScope() as scope:
        await Timeout(10)(make(), handler)
    assert scope.cancelled_caught


@pytest.mark.parametrize("seconds", [0, -1, float("inf"), float("nan")])
def test_a_limit_that_could_never_work_is_refused(seconds: float):
    with pytest.raises(RegistrationError, match="must be more than 0 seconds"):
        Timeout(seconds)
