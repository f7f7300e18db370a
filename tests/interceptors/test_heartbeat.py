"""The heartbeat interceptor opens and closes a beat; the supervisor sends it (tests/supervisor)."""

from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

import pytest

from interceptors.chain import compose
from interceptors.heartbeat import Heartbeat
from workers.errors import RegistrationError


class Run:
    """The worker's side of a task, which notes the beats that are open."""

    def __init__(self) -> None:
        self.notes: list[Any] = []

    @contextmanager
    def beating(self, interval: float | None) -> Iterator[None]:
        self.notes.append(interval)
        try:
            yield
        finally:
            self.notes.append("closed")


@pytest.mark.parametrize("interval", [None, 0, 2.5])
async def test_a_beat_is_open_while_the_rest_of_the_chain_runs(interval: float | None):
    run = Run()

    async def handler(task: Any) -> str:
        run.notes.append("handler")
        return "result"

    task: Any = SimpleNamespace(run=run)
    assert await compose([Heartbeat(interval)], handler)(task) == "result"
    assert run.notes == [interval, "handler", "closed"]


async def test_a_beat_is_closed_when_the_handler_fails():
    run = Run()

    async def handler(task: Any) -> None:
        raise ValueError("no")

    task: Any = SimpleNamespace(run=run)
    with pytest.raises(ValueError, match="no"):
        await compose([Heartbeat()], handler)(task)
    assert run.notes == [None, "closed"]


@pytest.mark.parametrize("interval", [-1, float("nan"), float("inf")])
def test_an_interval_that_could_never_work_is_refused(interval: float):
    with pytest.raises(RegistrationError, match=r"Heartbeat: interval is .*, it must be 0 seconds or more"):
        Heartbeat(interval)
