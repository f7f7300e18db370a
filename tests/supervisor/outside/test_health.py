"""The health port, over real HTTP."""

import asyncio
import json
import socket
import threading
import time
import urllib.error
import urllib.request
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from tests.supervisor.outside.standins import Log, Run, Standing
from workers.errors import UsageError
from workers.metrics import Metrics
from workers.supervisor.outside.health import Health
from workers.supervisor.outside.status import STARTING
from workers.supervisor.outside.watchdog import Watchdog

_opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))


@pytest.fixture(autouse=True)
def stop_fast(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("workers.supervisor.outside.health._STOP_WITHIN", 0.02)


def get(health: Health, path: str, *, accept: str = "*/*") -> tuple[int, str, str]:
    """Status, content type and body. Blocks the thread that calls it."""
    request = urllib.request.Request(f"http://127.0.0.1:{health.port}{path}", headers={"Accept": accept})
    try:
        with _opener.open(request, timeout=10) as answer:
            return answer.status, answer.headers["Content-Type"], answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.headers["Content-Type"], error.read().decode()


async def fetch(health: Health, path: str, **options: str) -> tuple[int, str, str]:
    return await asyncio.to_thread(lambda: get(health, path, **options))


@asynccontextmanager
async def serving(status: Standing, *, metrics: Metrics | None = None) -> AsyncIterator[Health]:
    metrics = metrics or Metrics()
    async with (
        Watchdog(status, metrics, patience=0.04) as watchdog,
        Health(
            port=0, host="127.0.0.1", status=status, metrics=metrics, watchdog=watchdog, blocked_limit=0.2
        ) as health,
    ):
        yield health


async def test_livez_fails_only_while_the_event_loop_is_blocked_for_too_long() -> None:
    async with serving(Standing()) as health:
        assert (await fetch(health, "/livez"))[0] == 200
        end = time.monotonic() + 10
        while (found := get(health, "/livez"))[0] == 200:  # called in the event loop: that blocks it
            assert time.monotonic() < end
        assert found[0] == 503
        assert json.loads(found[2])["event_loop_blocked_seconds"] >= 0.2
        await asyncio.sleep(0)
        while (await fetch(health, "/livez"))[0] != 200:
            assert time.monotonic() < end


@pytest.mark.parametrize("phase", [STARTING, "running", "draining", "cancelling", "forced"])
async def test_livez_does_not_care_for_troubles_and_drains(phase: str) -> None:
    status = Standing(phase=phase, problems={"add": "AccessDeniedException"})
    async with serving(status) as health:
        assert (await fetch(health, "/livez"))[0] == 200


def test_livez_fails_when_the_event_loop_has_ended() -> None:
    metrics = Metrics(active=False)
    dog = Watchdog(Standing(), metrics)
    health = Health(port=0, host="127.0.0.1", status=Standing(), metrics=metrics, watchdog=dog)

    async def die() -> None:
        await dog.__aenter__()
        await health.__aenter__()

    thread = threading.Thread(target=lambda: asyncio.run(die()))
    thread.start()
    thread.join()
    code, _, body = get(health, "/livez")
    asyncio.run(health.__aexit__())
    asyncio.run(dog.__aexit__())

    assert (code, json.loads(body)["alive"]) == (503, False)


async def test_readyz_says_whether_tasks_of_all_activities_are_taken() -> None:
    status = Standing(phase=STARTING)
    async with serving(status) as health:
        code, content_type, body = await fetch(health, "/readyz")
        assert (code, content_type) == (503, "application/json")
        assert json.loads(body) == {"ready": False, "phase": "starting", "problems": {}}

        status.values["phase"] = "running"
        assert (await fetch(health, "/readyz"))[0] == 200

        status.values["problems"] = {"charge": "KmsAccessDeniedException"}
        code, _, body = await fetch(health, "/readyz")
        assert (code, json.loads(body)["problems"]) == (503, {"charge": "KmsAccessDeniedException"})

        status.values.update(problems={}, phase="draining")
        code, _, body = await fetch(health, "/readyz")
        assert (code, json.loads(body)["phase"]) == (503, "draining")


async def test_metrics_are_served_in_both_formats() -> None:
    metrics = Metrics()
    metrics.activity("add").polled("task")
    async with serving(Standing(), metrics=metrics) as health:
        code, content_type, body = await fetch(health, "/metrics")
        assert (code, content_type.partition(";")[0]) == (200, "text/plain")
        assert 'workers_polls_total{activity="add",outcome="task"} 1.0' in body
        _, content_type, _ = await fetch(health, "/metrics", accept="application/openmetrics-text; version=1.0.0")
        assert content_type.startswith("application/openmetrics-text")


async def test_metrics_without_their_packages_say_what_to_install() -> None:
    async with serving(Standing(), metrics=Metrics(active=False)) as health:
        code, _, body = await fetch(health, "/metrics")
        assert (code, "sfn-workers[metrics]" in body) == (501, True)


async def test_tasks_shows_running_tasks_also_while_the_event_loop_is_blocked() -> None:
    async with serving(Standing(running=[Run(worked_on=asyncio.current_task())])) as health:
        code, _, body = get(health, "/tasks")  # called in the event loop: that blocks it

    assert code == 200
    (task,) = json.loads(body)["tasks"]
    assert task["activity"] == "add"
    assert any("test_tasks_shows_running_tasks" in line for line in task["stack"])


async def test_another_page_is_not_found_and_a_query_does_not_matter() -> None:
    async with serving(Standing()) as health:
        code, _, body = await fetch(health, "/")
        assert (code, "/livez" in body) == (404, True)
        assert (await fetch(health, "/livez?verbose"))[0] == 200


async def test_a_client_that_sends_nothing_does_not_keep_others_waiting() -> None:
    async with serving(Standing()) as health:
        with socket.create_connection(("127.0.0.1", health.port)):
            assert (await fetch(health, "/livez"))[0] == 200


async def test_a_page_that_breaks_is_logged_and_answered(monkeypatch: pytest.MonkeyPatch) -> None:
    log = Log()
    monkeypatch.setattr("workers.supervisor.outside.health.log", log)
    async with serving(Standing(running=[None])) as health:
        assert (await fetch(health, "/tasks"))[0] == 500
        assert (await fetch(health, "/livez"))[0] == 200
    assert log.named("health page failed") == [{"level": "exception", "page": "/tasks"}]


async def test_a_port_that_is_taken_is_refused_in_one_line() -> None:
    async with serving(Standing()) as health:
        again = Health(
            port=health.port, host="127.0.0.1", status=Standing(), metrics=Metrics(), watchdog=health._watchdog
        )
        with pytest.raises(UsageError, match=rf"127\.0\.0\.1:{health.port} cannot be opened .*--health-port"):
            await again.__aenter__()


async def test_an_address_that_is_none_is_refused_in_one_line() -> None:
    dog = Watchdog(Standing(), Metrics(active=False))
    health = Health(port=0, host="no such host", status=Standing(), metrics=Metrics(), watchdog=dog)
    with pytest.raises(UsageError, match="no such host"):
        await health.__aenter__()


async def test_ipv6_is_served_too() -> None:
    if not socket.has_ipv6:
        pytest.skip("this machine has no IPv6")
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        pytest.skip("this machine has no IPv6 loopback")
    dog = Watchdog(Standing(), Metrics(active=False))
    async with dog, Health(port=0, host="::1", status=Standing(), metrics=Metrics(), watchdog=dog) as health:
        with socket.create_connection(("::1", health.port)) as connection:
            connection.sendall(b"GET /livez HTTP/1.0\r\n\r\n")
            assert b"200 OK" in await asyncio.to_thread(connection.recv, 1000)
