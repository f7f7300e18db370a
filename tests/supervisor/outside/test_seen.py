"""What a worker enters to be seen: each part where the settings ask for it, and nothing left behind."""

import json
import signal
import threading

import pytest

from tests.supervisor.outside.ecs_agent import ecs_agent
from tests.supervisor.outside.standins import Run, Standing
from workers import Settings
from workers.errors import MissingExtraError
from workers.metrics import Metrics
from workers.supervisor.outside.seen import metrics_for, seen_from_outside


def threads() -> set[str]:
    return {thread.name for thread in threading.enumerate()}


@pytest.mark.parametrize(
    ("settings", "active"),
    [(Settings(), False), (Settings(health_port=0), True), (Settings(metrics="emf"), True)],
)
def test_metrics_are_kept_only_where_somebody_reads_them(settings: Settings, active: bool) -> None:
    assert (metrics_for(settings).registry is not None) == active


async def test_without_settings_there_is_a_watchdog_and_nothing_else() -> None:
    async with seen_from_outside(Settings(), Standing(), Metrics(active=False), signals=False):
        assert "watchdog" in threads()
        assert not {"health", "embedded metrics"} & threads()
        assert signal.getsignal(signal.SIGUSR1) is signal.SIG_DFL
    assert "watchdog" not in threads()


async def test_everything_is_there_when_asked_for_and_gone_afterwards(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    async with ecs_agent() as agent:
        monkeypatch.setenv("ECS_AGENT_URI", agent.uri)
        settings = Settings(health_port=0, metrics="emf")
        metrics = metrics_for(settings)
        metrics.throttled("GetActivityTask")
        async with seen_from_outside(settings, Standing(running=[Run()]), metrics, signals=True):
            assert {"watchdog", "health", "embedded metrics"} <= threads()
            assert signal.getsignal(signal.SIGUSR1) is not signal.SIG_DFL
            assert (await agent.next_put())["ProtectionEnabled"] is True
        assert (await agent.next_put())["ProtectionEnabled"] is False

    assert not {"watchdog", "health", "embedded metrics"} & threads()
    assert signal.getsignal(signal.SIGUSR1) is signal.SIG_DFL
    printed = [json.loads(line) for line in capsys.readouterr().out.splitlines() if line.startswith("{")]
    assert [line["worker"] for line in printed if line.get("workers_throttles_total") == 1] == ["host-1"]


async def test_protection_can_be_declined(monkeypatch: pytest.MonkeyPatch) -> None:
    async with ecs_agent() as agent:
        monkeypatch.setenv("ECS_AGENT_URI", agent.uri)
        settings = Settings(ecs_protection=False)
        async with seen_from_outside(settings, Standing(running=[Run()]), Metrics(active=False), signals=False):
            pass
        assert agent.puts.empty()


async def test_what_cannot_be_opened_leaves_nothing_behind() -> None:
    with pytest.raises(MissingExtraError):
        async with seen_from_outside(Settings(metrics="emf"), Standing(), Metrics(active=False), signals=True):
            pass
    assert "watchdog" not in threads()
    assert signal.getsignal(signal.SIGUSR1) is signal.SIG_DFL
