"""What a worker asks of the account's API buckets."""

from dataclasses import dataclass

import pytest

from workers import Registry, Settings
from workers.supervisor.quota import Demand, demands, excesses, survey


@dataclass(frozen=True)
class Load:
    concurrency: int = 10
    pollers: int = 4
    heartbeat: float = 15.0
    rate: float | None = None


def ask(*loads: Load, region: str = "eu-central-1", budget: int | None = None) -> dict[str, Demand]:
    return {one.api.partition(",")[0]: one for one in demands(loads, region, budget=budget)}


def test_idle_polls_end_once_a_minute() -> None:
    found = ask(Load(pollers=30), Load(pollers=30))["GetActivityTask"]

    assert (found.at_once, found.steady) == (60, 1.0)
    assert (found.bucket.size, found.bucket.refill) == (1_500, 300)


@pytest.mark.parametrize("region", ["us-east-1", "us-west-2", "eu-west-1"])
def test_some_regions_have_larger_buckets(region: str) -> None:
    found = ask(Load(), region=region)["GetActivityTask"]

    assert (found.bucket.size, found.bucket.refill) == (3_000, 500)


def test_full_slots_beat_once_an_interval() -> None:
    found = ask(Load(concurrency=30, heartbeat=15), Load(concurrency=10, heartbeat=0))["SendTaskHeartbeat"]

    assert found.steady == 2.0


def test_a_budget_is_taken_by_those_who_beat_most() -> None:
    slow, fast = Load(concurrency=100, heartbeat=20), Load(concurrency=50, heartbeat=1)
    assert ask(slow, fast, budget=60)["SendTaskHeartbeat"].steady == 50.5
    assert ask(slow, fast, budget=60)["SendTaskSuccess"].at_once == 60


def test_reports_come_one_a_task_which_is_known_only_where_all_rates_are() -> None:
    assert ask(Load(rate=5), Load())["SendTaskSuccess"].steady is None
    found = ask(Load(rate=5), Load(rate=7))
    assert found["SendTaskSuccess"].steady == 12
    assert found["GetActivityTask"].steady == 12


def test_a_worker_within_the_buckets_is_told_nothing() -> None:
    assert excesses(demands([Load()], "us-east-1")) == []


def test_each_bucket_that_overflows_is_named() -> None:
    found = excesses(demands([Load(concurrency=4_000, pollers=2_000, heartbeat=4)], "eu-central-1"))

    assert found == [
        "GetActivityTask: 2,000 calls at once, the bucket holds 1,500",
        "SendTaskHeartbeat: 1,000 calls a second, 300 flow back",
        "SendTaskSuccess, SendTaskFailure: 4,000 calls at once, the bucket holds 1,500",
    ]


async def test_a_registry_is_surveyed_without_an_account(monkeypatch: pytest.MonkeyPatch) -> None:
    registry = Registry()
    registry.add("add", lambda x: x, concurrency=50, heartbeat=5)
    monkeypatch.setenv("AWS_REGION", "eu-west-1")

    found, region = await survey(registry, Settings())

    assert region == "eu-west-1"
    assert found[1].steady == 10.0
    monkeypatch.delenv("AWS_REGION")
    assert (await survey(registry, Settings()))[1] is None
