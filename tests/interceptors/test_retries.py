"""Trying again inside the worker."""

from datetime import timedelta
from typing import Any

import anyio
import pytest
import stamina
import structlog

from interceptors import Retry, Timeout
from interceptors.chain import compose
from interceptors.timeout import HandlerTimeoutError
from tests.interceptors.tasks import make
from workers.errors import PausePolling, RegistrationError, TaskCancelledError
from workers.metrics import Metrics
from workers.task import Task

FAST = {"wait_initial": 0.001, "wait_jitter": 0.0}


class Failing:
    """A handler that raises what it is given, one after the other, and then returns how often it was called."""

    def __init__(self, *errors: BaseException) -> None:
        self.errors = list(errors)
        self.calls = 0

    async def __call__(self, task: Task) -> int:
        self.calls += 1
        if self.errors:
            raise self.errors.pop(0)
        return self.calls


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """How long it would have waited."""
    found: list[float] = []

    async def sleep(seconds: float) -> None:
        found.append(seconds)

    monkeypatch.setattr("stamina._core._smart_sleep", sleep)
    return found


async def test_it_tries_again_until_it_works():
    handler, task = Failing(TimeoutError(), TimeoutError()), make()
    assert await Retry(on=TimeoutError, **FAST)(task, handler) == 3
    assert task.run.retries == 2


async def test_when_nothing_is_left_the_last_exception_is_raised():
    last = TimeoutError("third")
    handler = Failing(TimeoutError("first"), TimeoutError("second"), last, TimeoutError("fourth"))
    with pytest.raises(TimeoutError) as raised:
        await Retry(on=TimeoutError, attempts=3, **FAST)(make(), handler)
    assert raised.value is last


@pytest.mark.parametrize(
    "on",
    [OSError, (KeyError, ConnectionError), lambda error: "later" in str(error)],
    ids=["class", "tuple", "function"],
)
async def test_it_tries_again_only_for_what_is_named(on: Any):
    assert await Retry(on=on, **FAST)(make(), Failing(ConnectionError("later"))) == 2
    handler = Failing(ValueError("no"))
    with pytest.raises(ValueError, match="no"):
        await Retry(on=on, **FAST)(make(), handler)
    assert handler.calls == 1


async def test_an_exception_may_be_marked_not_retryable():
    error = ConnectionError("for good")
    error.retryable = False
    handler = Failing(error)
    with pytest.raises(ConnectionError):
        await Retry(on=Exception, **FAST)(make(), handler)
    assert handler.calls == 1


@pytest.mark.parametrize("error", [TaskCancelledError("stop"), PausePolling(60)])
async def test_what_is_meant_for_the_worker_is_never_retried(error: Exception):
    handler = Failing(error)
    with pytest.raises(type(error)):
        await Retry(on=Exception, **FAST)(make(), handler)
    assert handler.calls == 1


@pytest.mark.parametrize("after", [7, 7.0, timedelta(seconds=7)])
async def test_an_exception_may_say_when_to_come_back(waits: list[float], after: Any):
    error = ConnectionError("busy")
    error.retry_after = after
    assert await Retry(on=OSError)(make(), Failing(error)) == 2
    assert waits == [7.0]


async def test_a_wait_beyond_the_timeout_is_not_begun(waits: list[float]):
    error = ConnectionError("busy")
    error.retry_after = 7
    handler = Failing(error)
    with pytest.raises(ConnectionError):
        await Retry(on=OSError, timeout=5)(make(), handler)
    assert (handler.calls, waits) == (1, [])


async def test_waits_grow_to_a_limit(waits: list[float]):
    retry = Retry(on=OSError, attempts=6, wait_initial=1.0, wait_max=5.0, wait_jitter=0.0)
    await retry(make(), Failing(*[OSError() for _ in range(5)]))
    assert waits == [1.0, 2.0, 4.0, 5.0, 5.0]


async def test_no_attempt_begins_after_the_timeout():
    async def slow(task: Task) -> None:
        calls.append(1)
        await anyio.sleep(0.06)
        raise ConnectionError

    calls: list[int] = []
    with pytest.raises(ConnectionError):
        await Retry(on=OSError, attempts=100, timeout=0.1, wait_initial=0.0, wait_jitter=0.0)(make(), slow)
    assert len(calls) <= 2


async def test_a_cancelled_task_is_not_tried_again():
    async def handler(task: Task) -> None:
        calls.append(1)
        scope.cancel()
        await anyio.sleep_forever()

    calls: list[int] = []
    with anyio.CancelScope() as scope:
        await Retry(on=Exception, **FAST)(make(), handler)
    assert calls == [1]


async def test_each_retry_is_in_the_log_and_in_the_metrics():
    with structlog.testing.capture_logs() as logs:
        await Retry(on=OSError, **FAST)(make(), Failing(OSError("a"), OSError("b")))
    assert [(line["event"], line["retry_num"]) for line in logs] == [
        ("stamina.retry_scheduled", 1),
        ("stamina.retry_scheduled", 2),
    ]
    metrics = Metrics()
    metrics.activity("charge").retried(2)
    assert metrics.registry.get_sample_value("workers_handler_retries_total", {"activity": "charge"}) == 2


async def test_each_attempt_has_the_whole_timeout_of_its_own():
    async def handler(task: Task) -> str:
        calls.append(task.run.cancel_reason)
        if len(calls) < 3:
            await anyio.sleep_forever()
        return "in time"

    calls: list[Any] = []
    chain = compose([Retry(on=HandlerTimeoutError, **FAST), Timeout(0.02)], handler)
    assert await chain(make()) == "in time"
    assert calls == [None, None, None]


async def test_staminas_test_mode_works():
    stamina.set_testing(True, attempts=1)
    try:
        handler = Failing(ConnectionError(), ConnectionError())
        with pytest.raises(ConnectionError):
            await Retry(on=OSError)(make(), handler)
        assert handler.calls == 1
    finally:
        stamina.set_testing(False)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"on": OSError, "attempts": 0}, "attempts is 0"),
        ({"on": "OSError"}, "on is 'OSError'"),
        ({"on": (OSError, "x")}, "must be exception classes or a function"),
        ({"on": int}, "must be exception classes or a function"),
        ({"on": OSError, "timeout": -1}, "timeout is -1"),
        ({"on": OSError, "wait_max": float("nan")}, "wait_max is nan"),
    ],
)
def test_options_that_cannot_work_are_refused(options: dict, said: str):
    with pytest.raises(RegistrationError, match=said):
        Retry(**options)
