"""Embedded metrics: lines that CloudWatch takes, each number once."""

import asyncio
import json
import sys
import threading
from typing import Any

import pytest

from tests.supervisor.outside.standins import Log
from workers.emf import NAMESPACE
from workers.errors import MissingExtraError
from workers.metrics import Metrics, TaskOutcome
from workers.supervisor.outside.emf import EmbeddedMetrics


def documents(embedded: EmbeddedMetrics) -> list[dict[str, Any]]:
    return [json.loads(line) for line in embedded.lines()]


def with_dimensions(found: list[dict[str, Any]], **labels: str) -> dict[str, Any]:
    (one,) = [document for document in found if dimensions(document) == labels]
    return one


def dimensions(document: dict[str, Any]) -> dict[str, str]:
    (directive,) = document["_aws"]["CloudWatchMetrics"]
    (names,) = directive["Dimensions"]
    return {name: document[name] for name in names}


def test_a_line_follows_the_specification() -> None:
    metrics = Metrics()
    metrics.activity("add").polled("task")
    (line,) = [line for line in EmbeddedMetrics(metrics, lambda: "host-1").lines() if "polls" in line]
    document = json.loads(line)

    assert "\n" not in line
    assert document["_aws"]["Timestamp"] > 1_700_000_000_000  # milliseconds
    (directive,) = document["_aws"]["CloudWatchMetrics"]
    assert directive == {
        "Namespace": NAMESPACE,
        "Dimensions": [["activity", "outcome"]],
        "Metrics": [{"Name": "workers_polls_total", "Unit": "Count"}],
    }
    assert (document["activity"], document["outcome"], document["workers_polls_total"]) == ("add", "task", 1)
    assert document["worker"] == "host-1"


def test_counters_are_printed_as_what_was_added_and_only_then() -> None:
    metrics = Metrics()
    add = metrics.activity("add")
    embedded = EmbeddedMetrics(metrics, lambda: "host-1")
    add.polled("empty")
    add.polled("empty")
    first = documents(embedded)
    add.polled("empty")
    second = documents(embedded)

    assert with_dimensions(first, activity="add", outcome="empty")["workers_polls_total"] == 2
    assert with_dimensions(second, activity="add", outcome="empty")["workers_polls_total"] == 1
    assert not any("workers_polls_total" in document for document in documents(embedded))


def test_gauges_of_one_activity_share_a_line_every_time() -> None:
    metrics = Metrics()
    metrics.activity("add").watch(slots=lambda: 4, slots_used=lambda: 3, pollers_open=lambda: 2)
    embedded = EmbeddedMetrics(metrics, lambda: "host-1")
    for _ in range(2):
        found = with_dimensions(documents(embedded), activity="add")
        assert (found["workers_slots"], found["workers_slots_used"], found["workers_pollers_open"]) == (4, 3, 2)


def test_a_histogram_becomes_a_distribution() -> None:
    metrics = Metrics()
    add = metrics.activity("add")
    embedded = EmbeddedMetrics(metrics, lambda: "host-1")
    for seconds in (0.3, 0.4, 4.0, 9_000.0):
        add.handled(seconds)
    found = with_dimensions(documents(embedded), activity="add")
    distribution = found["workers_handler_seconds"]

    assert distribution["Values"] == [0.375, 3.75, 3600.0]
    assert distribution["Counts"] == [2, 1, 1]
    assert (distribution["Min"], distribution["Max"]) == (0.25, 3600.0)
    assert distribution["Sum"] == pytest.approx(9_004.7)
    assert distribution["Count"] == 4
    units = {one["Name"]: one["Unit"] for one in found["_aws"]["CloudWatchMetrics"][0]["Metrics"]}
    assert units["workers_handler_seconds"] == "Seconds"

    add.handled(0.001)
    again = with_dimensions(documents(embedded), activity="add")["workers_handler_seconds"]
    assert (again["Values"], again["Counts"], again["Sum"]) == ([0.0025], [1], pytest.approx(0.001))


def test_an_empty_label_is_no_dimension() -> None:
    metrics = Metrics()
    metrics.activity("add").ended(TaskOutcome.SUCCEEDED)
    found = documents(EmbeddedMetrics(metrics, lambda: "host-1"))

    assert with_dimensions(found, activity="add", outcome="succeeded")["workers_tasks_total"] == 1


def test_a_namespace_is_a_dimension_of_every_line() -> None:
    metrics = Metrics()
    metrics.activity("add").polled("task")
    metrics.add_process()
    found = documents(EmbeddedMetrics(metrics, lambda: "host-1", namespace="prod"))

    assert with_dimensions(found, activity="add", outcome="task", namespace="prod")["workers_polls_total"] == 1
    assert {dimensions(document).get("namespace") for document in found} == {"prod"}


def test_of_the_process_only_memory_cpu_and_files_are_printed() -> None:
    metrics = Metrics()
    metrics.add_process()
    lines = list(EmbeddedMetrics(metrics, lambda: "host-1").lines())
    listed = [one for line in lines for one in json.loads(line)["_aws"]["CloudWatchMetrics"][0]["Metrics"]]

    units = {one["Name"]: one["Unit"] for one in listed if not one["Name"].startswith("workers_")}
    assert units == {
        "process_resident_memory_bytes": "Bytes",
        "process_cpu_seconds_total": "Seconds",
        "process_open_fds": "Count",
    }


async def test_it_prints_in_time_and_what_is_left_at_the_end() -> None:
    metrics = Metrics()
    metrics.throttled("GetActivityTask")
    lines: list[dict[str, Any]] = []
    came = threading.Event()

    def write(line: str) -> None:
        lines.append(json.loads(line))
        came.set()

    async with EmbeddedMetrics(metrics, lambda: "host-1", interval=0.01, write=write):
        assert await asyncio.to_thread(came.wait, 10)
        metrics.throttled("GetActivityTask")
        metrics.throttled("GetActivityTask")

    assert sum(line.get("workers_throttles_total", 0) for line in lines) == 3


async def test_stdout_takes_the_lines_and_its_end_is_logged(capsys, monkeypatch: pytest.MonkeyPatch) -> None:
    log = Log()
    monkeypatch.setattr("workers.supervisor.outside.emf.log", log)
    metrics = Metrics()
    metrics.heartbeat("accepted")
    async with EmbeddedMetrics(metrics, lambda: "host-1"):
        pass
    found = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert with_dimensions(found, outcome="accepted")["workers_heartbeats_total"] == 1

    def closed(_: str) -> None:
        raise BrokenPipeError

    metrics.heartbeat("accepted")
    async with EmbeddedMetrics(metrics, lambda: "host-1", write=closed):
        pass
    assert len(log.named("metrics no longer printed")) == 1


def test_without_the_packages_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "prometheus_client", None)
    with pytest.raises(MissingExtraError, match=r"--metrics emf .*sfn-workers\[metrics\]"):
        EmbeddedMetrics(Metrics(), lambda: "host-1")
