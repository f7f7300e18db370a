"""Group 59, the metric: the share of an interval in which slots work."""

import json

import anyio
import pytest

from tests.commands.conftest import Commands
from workers.commands.utilisation import Utilisation, embedded, keep_utilisation
from workers.supervisor.polling.brake import Brake


class Clock:
    def __init__(self) -> None:
        self.now = 100.0
        self.paused = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.mark.parametrize(
    ("slots", "active", "idle", "paused", "percent"),
    [
        (1, 0, 60, 0, 0),
        (1, 30, 30, 0, 50),
        (1, 60, 0, 0, 100),
        (1, 0, 0, 60, 100),
        (1, 20, 20, 20, 50),
        (1, 30, 0, 30, 100),
        (1, 0, 30, 30, 0),
        (2, 60, 0, 0, 50),
        (2, 20, 20, 20, 25),
    ],
)
def test_59_active_by_total_without_paused(slots: int, active: float, idle: float, paused: float, percent: float):
    clock = Clock()
    utilisation = Utilisation(slots, paused=lambda: clock.paused, clock=clock)
    for _ in range(2):  # each interval begins anew
        with utilisation.working():
            clock.now += active
        clock.now += idle
        clock.now += paused
        clock.paused += paused
        assert utilisation.take() == utilisation.last == pytest.approx(percent)


def test_59_a_task_may_run_through_intervals():
    clock = Clock()
    utilisation = Utilisation(1, clock=clock)
    with utilisation.working():
        for _ in range(3):
            clock.now += 60
            assert utilisation.take() == 100
    clock.now += 60
    assert utilisation.take() == 0


def test_59_the_line_for_cloudwatch_has_the_names_of_sfncli():
    line = json.loads(embedded("arn:a", 12.5))
    (directive,) = line["_aws"]["CloudWatchMetrics"]
    assert directive == {
        "Namespace": "StatesCustom",
        "Dimensions": [["ActivityArn"]],
        "Metrics": [{"Name": "ActivityActivePercent", "Unit": "Percent"}],
    }
    assert (line["ActivityArn"], line["ActivityActivePercent"]) == ("arn:a", 12.5)


async def test_59_it_is_taken_and_printed_again_and_again(capsys: pytest.CaptureFixture[str]):
    utilisation = Utilisation(1)
    with utilisation.working(), anyio.move_on_after(0.2):
        await keep_utilisation(utilisation, lambda: "arn:a", emit=True, interval=0.01)
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) > 1
    assert all(json.loads(line)["ActivityActivePercent"] > 50 for line in lines)


async def test_the_time_of_a_brake_counts_once_however_many_pollers_wait():
    brake = Brake("a", rate=0.1, breaker=None, breaker_pause=1.0)
    assert brake.delay() == 0.0
    assert brake.braked == 0.0
    for _ in range(3):
        assert 9.0 < brake.delay() <= 10.0
    assert 9.0 < brake.braked <= 10.1


async def test_prometheus_shows_it(commands: Commands):
    async with commands(health_port=0) as running:
        await running.end("echo 1")
        text = running.worker.metrics.exposition()[0].decode()
        assert f'workers_active_percent{{activity="{running.activity}"}} 0.0' in text
        assert running.worker.status().braked == {running.activity: 0.0}


async def test_prometheus_shows_the_interval_of_a_busy_task(commands: Commands, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("workers.commands.worker.INTERVAL", 0.05)
    async with commands(health_port=0, concurrency=1) as running, anyio.create_task_group() as beside:
        beside.start_soon(running.end, "sleep 1; echo 1")
        shown = 0.0
        with anyio.fail_after(30):
            while shown == 0.0:
                await anyio.sleep(0.02)
                text = running.worker.metrics.exposition()[0].decode()
                line = next(one for one in text.splitlines() if one.startswith("workers_active_percent{"))
                shown = float(line.rpartition(" ")[2])
    assert line.startswith(f'workers_active_percent{{activity="{running.activity}"}} ')
    assert 0 < shown <= 100


async def test_59_cloudwatch_is_told_the_activity(
    commands: Commands, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.setattr("workers.commands.worker.INTERVAL", 0.05)
    async with commands(metrics="emf") as running:
        await running.end("sleep 0.2; echo 1")
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines() if "ActivityActivePercent" in line]
    assert {line["ActivityArn"].rpartition(":")[2] for line in lines} == {running.activity}
    assert any(line["ActivityActivePercent"] > 5 for line in lines)
