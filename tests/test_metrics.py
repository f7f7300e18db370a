"""The metrics: what they count, what they forget, and that several workers do not share them."""

import re
import sys

import pytest

from workers.errors import ErrorName, MissingExtraError
from workers.metrics import METRICS, Kind, Metrics, TaskOutcome


def value(metrics: Metrics, name: str, **labels: str) -> float | None:
    return metrics.registry.get_sample_value(name, labels)


def test_everything_that_happens_is_counted_under_its_labels() -> None:
    metrics = Metrics()
    add = metrics.activity("add")
    add.polled("task")
    add.polled("empty")
    add.polled("empty")
    add.queued(0.3)
    add.handled(2.0)
    add.ended(TaskOutcome.SUCCEEDED)
    add.ended(TaskOutcome.UNCONFIRMED)
    metrics.heartbeat("accepted")
    metrics.report_retried("SendTaskSuccess")
    metrics.throttled("GetActivityTask")
    metrics.loop_lag(0.002)

    assert value(metrics, "workers_polls_total", activity="add", outcome="empty") == 2
    assert value(metrics, "workers_queue_wait_seconds_sum", activity="add") == 0.3
    assert value(metrics, "workers_handler_seconds_bucket", activity="add", le="1.0") == 0
    assert value(metrics, "workers_handler_seconds_bucket", activity="add", le="2.5") == 1
    assert value(metrics, "workers_tasks_total", activity="add", outcome="succeeded", error="") == 1
    assert value(metrics, "workers_tasks_total", activity="add", outcome="unconfirmed", error="") == 1
    assert value(metrics, "workers_heartbeats_total", outcome="accepted") == 1
    assert value(metrics, "workers_report_retries_total", api="SendTaskSuccess") == 1
    assert value(metrics, "workers_throttles_total", api="GetActivityTask") == 1
    assert value(metrics, "workers_event_loop_lag_seconds_count") == 1


def test_error_names_of_handlers_share_one_label_because_users_may_invent_any_number() -> None:
    metrics = Metrics()
    add = metrics.activity("add")
    for error in ("Order 1 was refused", "Order 2 was refused", ErrorName.SHUTTING_DOWN, "Worker.ShuttingDown"):
        add.ended(TaskOutcome.FAILED, error)

    assert value(metrics, "workers_tasks_total", activity="add", outcome="failed", error="handler") == 2
    assert value(metrics, "workers_tasks_total", activity="add", outcome="failed", error="Worker.ShuttingDown") == 2


def test_gauges_are_asked_when_they_are_read() -> None:
    metrics = Metrics()
    used = [1]
    metrics.activity("add").watch(slots=lambda: 4, slots_used=lambda: used[0], pollers_open=lambda: 2)
    metrics.watch_abandoned_threads(lambda: 7)
    used[0] = 3

    assert value(metrics, "workers_slots", activity="add") == 4
    assert value(metrics, "workers_slots_used", activity="add") == 3
    assert value(metrics, "workers_pollers_open", activity="add") == 2
    assert value(metrics, "workers_abandoned_threads") == 7


def test_two_workers_in_one_process_count_apart() -> None:
    one, other = Metrics(), Metrics()
    one.throttled("GetActivityTask")

    assert value(one, "workers_throttles_total", api="GetActivityTask") == 1
    assert value(other, "workers_throttles_total", api="GetActivityTask") is None


def test_the_exposition_has_every_metric_and_no_creation_times() -> None:
    text, content_type = Metrics().exposition()

    assert content_type.startswith("text/plain")
    assert b"_created" not in text
    types = dict(re.findall(r"# TYPE (\S+) (\S+)", text.decode()))
    assert types == {metric.name: metric.kind.value for metric in METRICS}


def test_openmetrics_is_spoken_to_a_scraper_that_asks_for_it() -> None:
    text, content_type = Metrics().exposition("application/openmetrics-text; version=1.0.0")

    assert content_type.startswith("application/openmetrics-text")
    assert text.endswith(b"# EOF\n")


def test_names_follow_the_conventions_of_prometheus() -> None:
    for metric in METRICS:
        assert re.fullmatch(r"workers(_[a-z]+)+", metric.name)
        assert metric.name.endswith("_total") == (metric.kind is Kind.COUNTER)
        assert (metric.kind is Kind.HISTOGRAM) == bool(metric.buckets) == metric.name.endswith("_seconds")
        assert metric.help.endswith(".")


def test_the_process_is_added_on_request() -> None:
    metrics = Metrics()
    metrics.add_process()

    assert value(metrics, "process_resident_memory_bytes") > 0


@pytest.mark.parametrize("installed", [True, False])
def test_nothing_is_kept_where_nobody_asked_or_nothing_is_installed(monkeypatch, installed: bool) -> None:
    if not installed:
        monkeypatch.setitem(sys.modules, "prometheus_client", None)
    metrics = Metrics(active=not installed)
    add = metrics.activity("add")
    add.polled("task")
    add.queued(1.0)
    add.handled(1.0)
    add.ended(TaskOutcome.FAILED, "X")
    add.watch(slots=lambda: 1, slots_used=lambda: 1, pollers_open=lambda: 1)
    metrics.watch_abandoned_threads(lambda: 1)
    metrics.heartbeat("accepted")
    metrics.report_retried("SendTaskSuccess")
    metrics.throttled("GetActivityTask")
    metrics.loop_lag(1.0)
    metrics.add_process()

    assert metrics.registry is None
    assert list(metrics.families()) == []
    with pytest.raises(MissingExtraError, match=r"sfn-workers\[metrics\]"):
        metrics.exposition()
