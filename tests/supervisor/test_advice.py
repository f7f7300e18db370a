"""What is said at start."""

import pytest

from tests.supervisor.outside.standins import Log
from tests.supervisor.test_quota import Load
from workers import Settings
from workers.supervisor import advice
from workers.supervisor.advice import advise, in_container, stop_grace_problem

KUBERNETES = {"KUBERNETES_SERVICE_HOST": "10.0.0.1"}


@pytest.fixture(autouse=True)
def outside_a_container(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(advice, "_CONTAINER_FILES", ())
    for name in advice._CONTAINER_VARIABLES:
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def log(monkeypatch: pytest.MonkeyPatch) -> Log:
    log = Log()
    monkeypatch.setattr(advice, "log", log)
    return log


def test_a_stop_limit_below_a_drain_is_a_problem() -> None:
    problem = stop_grace_problem(Settings(stop_grace=60), {})

    assert problem
    assert "killed 60 s after SIGTERM, a drain can take 70 s" in problem


def test_a_stop_limit_must_also_cover_the_grace() -> None:
    assert stop_grace_problem(Settings(stop_grace=120, grace=100), {}) is None
    assert "120 s after SIGTERM, a drain can take 305 s" in stop_grace_problem(Settings(stop_grace=120, grace=300), {})


def test_a_container_without_a_limit_is_assumed_to_be_killed_after_half_a_minute() -> None:
    assert "30 s after SIGTERM (assumed in a container)" in stop_grace_problem(Settings(), KUBERNETES)
    assert stop_grace_problem(Settings(stop_grace=90), KUBERNETES) is None


def test_nothing_is_assumed_elsewhere() -> None:
    assert stop_grace_problem(Settings(), {}) is None
    assert stop_grace_problem(Settings(local=True), KUBERNETES) is None
    assert stop_grace_problem(Settings(local=True, stop_grace=5), KUBERNETES)


def test_containers_are_known_by_their_variables_and_files(tmp_path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert not in_container({})
    assert in_container(KUBERNETES)
    assert in_container({"ECS_CONTAINER_METADATA_URI_V4": "http://169.254.170.2/v4/0"})
    monkeypatch.setattr(advice, "_CONTAINER_FILES", (tmp_path,))
    assert in_container({})


def test_a_worker_that_fits_hears_nothing(log: Log) -> None:
    advise(Settings(), [Load()], "us-east-1")

    assert log.events == []


def test_a_worker_that_does_not_is_warned_with_what_to_do(log: Log, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", "10.0.0.1")
    advise(Settings(), [Load(concurrency=9_000, heartbeat=0)], "us-east-1")

    assert [(event, line["level"]) for event, line in log.events] == [
        ("stop limit too short", "warning"),
        ("more than the account's API quota", "warning"),
    ]
    assert "WORKERS_STOP_GRACE" in log.events[0][1]["hint"]
    assert "9,000 calls at once" in log.events[1][1]["demand"]


def test_the_embedded_engine_has_no_quota(log: Log) -> None:
    advise(Settings(local=True), [Load(concurrency=9_000)], "us-east-1")

    assert log.events == []
