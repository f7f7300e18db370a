"""When CreateActivity is called: after a poll that missed the activity, now and then, and not by all at once."""

import anyio
import pytest
from structlog.testing import capture_logs

from tests.supervisor.scripted import Answer, Scripted, a_poller, an_activity, fault
from workers.metrics import Metrics
from workers.stepfunctions.protocol import (
    ActivityMissingError,
    ActivityTask,
    DeniedError,
    ServiceError,
    ThrottledError,
    TransientError,
)
from workers.supervisor.drain import Drain
from workers.supervisor.polling import creation
from workers.supervisor.polling.creation import Creation

_MISSING = fault(ActivityMissingError, "ActivityDoesNotExist")


@pytest.mark.parametrize(
    ("answer", "creates"),
    [
        (_MISSING, 1),
        (ActivityTask("token", "null"), 0),
        (None, 0),
        (fault(TransientError), 0),
        (fault(ThrottledError, "ThrottlingException"), 0),
        (fault(DeniedError, "AccessDeniedException"), 0),
        (fault(ServiceError, "InvalidArn"), 0),
    ],
    ids=["missing", "task", "empty", "transient", "throttled", "denied", "other"],
)
async def test_only_a_poll_that_misses_the_activity_creates_it(
    answer: Answer, creates: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(creation, "_JITTER", 0.0)
    client, drain = Scripted(), Drain()
    client.answers["poll"] = [answer]
    poller = a_poller(client, an_activity(pollers=1), drain=drain, started=lambda *_: None)
    async with anyio.create_task_group() as group:
        group.start_soon(poller.run)
        await anyio.wait_all_tasks_blocked()
        drain.begin()
        client.released.set()
    assert not client.answers["poll"]
    assert len(client.times["create"]) == creates


async def test_a_creation_that_is_throttled_is_counted_and_said_as_that(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(creation, "_JITTER", 0.0)
    client, drain, metrics = Scripted(), Drain(), Metrics()
    client.answers["poll"] = [_MISSING, _MISSING]
    client.answers["create"] = [ThrottledError("CreateActivity", "ThrottlingException", "Rate exceeded")]
    poller = a_poller(client, an_activity(pollers=1), drain=drain, started=lambda *_: None, metrics=metrics)
    async with anyio.create_task_group() as group:
        group.start_soon(poller.run)
        with anyio.fail_after(20):
            while len(client.times["create"]) < 2:
                await anyio.sleep(0.01)
        assert poller.trouble is None  # it passes by itself
        drain.begin()
        client.released.set()
    assert metrics.registry
    assert metrics.registry.get_sample_value("workers_throttles_total", {"api": "CreateActivity"}) == 1
    (line,) = [line for line in capsys.readouterr().out.splitlines() if "poll failed" in line]
    assert "CreateActivity: ThrottlingException" in line
    assert "trying again" in line


@pytest.mark.parametrize("create", [True, False])
async def test_who_meets_a_missing_activity_is_told_what_to_do(
    monkeypatch: pytest.MonkeyPatch, *, create: bool
) -> None:
    monkeypatch.setattr(creation, "_JITTER", 0.0)
    client, drain = Scripted(), Drain()
    client.answers["poll"] = [_MISSING, _MISSING]
    poller = a_poller(client, an_activity(pollers=1), drain=drain, started=lambda *_: None, create=create)
    with capture_logs() as lines:
        async with anyio.create_task_group() as group:
            group.start_soon(poller.run)
            with anyio.fail_after(20):
                while not any(line["event"] == "poll failed" for line in lines):
                    await anyio.sleep(0.01)
            drain.begin()
            client.released.set()
    (hint,) = [line["hint"] for line in lines if line["event"] == "poll failed"]
    assert hint.startswith("created less than 30 s ago: " if create else "create the activity, or ")


async def test_an_activity_that_stays_invisible_is_created_again_after_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    assert creation.AGAIN_AFTER == 30
    monkeypatch.setattr(creation, "AGAIN_AFTER", 0.5)
    client, drain = Scripted(), Drain()
    client.answers["poll"] = [_MISSING] * 1000
    poller = a_poller(client, an_activity(), drain=drain, started=lambda *_: None)
    async with anyio.create_task_group() as group:
        group.start_soon(poller.run)
        with anyio.fail_after(20):
            while len(client.times["create"]) < 2:
                await anyio.sleep(0.01)
        drain.begin()
    first, second = client.times["create"][:2]
    assert second - first >= 0.5
    assert sum(first < time < second for time in client.times["poll"]) >= 2  # it was missed in between


async def test_workers_that_start_together_do_not_create_together() -> None:
    client = Scripted()
    async with anyio.create_task_group() as group:
        for _ in range(20):
            group.start_soon(Creation(an_activity(), client).create)
    times = client.times["create"]
    assert len(times) == 20
    assert max(times) - min(times) >= 0.05  # of 0.25 s over which they are spread at random
