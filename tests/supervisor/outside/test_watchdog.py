"""The watchdog, on an event loop that is really blocked."""

import asyncio
import os
import signal
import threading

import pytest
from structlog.dev import ConsoleRenderer

from tests.supervisor.outside.standins import Log, Name, Run, Standing
from workers.metrics import Metrics
from workers.supervisor.outside.watchdog import Watchdog, snapshot_on_sigusr1


@pytest.fixture
def log(monkeypatch: pytest.MonkeyPatch) -> Log:
    log = Log()
    monkeypatch.setattr("workers.supervisor.outside.watchdog.log", log)
    monkeypatch.setattr("workers.supervisor.outside.snapshot.log", log)
    return log


class Counting(Watchdog):
    """Lets a test wait until the watchdog has looked some more times."""

    looks = 0

    def _look(self) -> None:
        super()._look()
        self.looks += 1
        if self.looks == self.enough:
            self.looked.set()

    def wait_for_looks(self, number: int) -> None:
        self.looked = threading.Event()
        self.enough = self.looks + number
        assert self.looked.wait(60)

    enough = 0


def watchdog(*, status: Standing | None = None, metrics: Metrics | None = None, patience: float = 0.04) -> Counting:
    return Counting(status or Standing(), metrics or Metrics(active=False), patience=patience)


def guilty_handler(log: Log) -> None:
    log.wait_for("event loop blocked")  # the guilty line


async def test_a_blocked_loop_logs_the_line_at_fault(log: Log) -> None:
    async with watchdog():
        guilty_handler(log)
        await asyncio.sleep(0.1)

    (bark,) = log.named("event loop blocked")
    assert bark["level"] == "warning"
    assert bark["seconds"] >= 0.04
    assert f"{__file__}" in bark["stack"]
    assert "in guilty_handler: log.wait_for" in bark["stack"]
    assert "asyncio" not in bark["stack"].splitlines()[0]
    assert bark["stack"] in ConsoleRenderer(colors=False)(None, "", {**bark})
    (free,) = log.named("event loop free again")
    assert free["seconds"] > 0.04


async def test_one_block_is_logged_once_and_the_next_one_again(log: Log) -> None:
    async with watchdog() as dog:
        log.wait_for("event loop blocked")
        dog.wait_for_looks(4)
        assert len(log.named("event loop blocked")) == 1
        await asyncio.sleep(0.05)
        log.wait_for("event loop blocked", times=2)


async def test_the_task_at_fault_is_named(log: Log) -> None:
    run = Run(activity=Name("crunch"), label="abc")
    other = Run(activity=Name("innocent"))
    async with watchdog(status=Standing(running=[other, run])):

        async def handler() -> None:
            run.worked_on = asyncio.current_task()
            guilty_handler(log)

        await asyncio.create_task(handler())

    (bark,) = log.named("event loop blocked")
    assert (bark["activity"], bark["task"]) == ("crunch", "abc")


async def test_a_loop_that_waits_is_not_blocked(log: Log) -> None:
    metrics = Metrics()
    async with watchdog(metrics=metrics, patience=1.0) as dog:  # more than a busy machine takes to go on
        await asyncio.to_thread(dog.wait_for_looks, 4)
        assert dog.blocked < 1.0

    assert log.events == []
    assert metrics.registry.get_sample_value("workers_event_loop_lag_seconds_count") >= 2


async def test_sigusr1_logs_what_the_worker_does_also_while_the_loop_is_blocked(log: Log) -> None:
    run = Run(worked_on=asyncio.current_task())
    async with watchdog(status=Standing(running=[run])) as dog:
        with snapshot_on_sigusr1(dog):
            os.kill(os.getpid(), signal.SIGUSR1)
            task = log.wait_for("running task")  # in the event loop: it is blocked until the snapshot comes
            os.kill(os.getpid(), signal.SIGUSR1)
            log.wait_for("running task", times=2)

    assert log.named("snapshot")[0] == {"level": "info", "worker": "host-1", "phase": "running", "tasks": 1}
    assert task["activity"] == "add"
    assert "test_sigusr1_logs" in task["stack"]
    assert task["stack"] in ConsoleRenderer(colors=False)(None, "", {**task})
    assert signal.getsignal(signal.SIGUSR1) is signal.SIG_DFL


async def test_a_snapshot_that_fails_does_not_end_the_watch(log: Log) -> None:
    status = Standing(phase="running", running=[None])
    async with watchdog(status=status) as dog:
        dog.ask_for_snapshot()
        assert log.wait_for("watchdog failed")["level"] == "exception"
        status.values["running"] = []
        log.wait_for("event loop blocked")


def test_a_loop_whose_thread_has_ended_is_blocked_for_ever() -> None:
    dog = watchdog()
    thread = threading.Thread(target=lambda: asyncio.run(dog.__aenter__()))
    thread.start()
    thread.join()

    blocked = dog.blocked
    asyncio.run(dog.__aexit__())

    assert blocked == float("inf")
