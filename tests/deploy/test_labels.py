"""Labels, and their values, in dashboards, alert rules and triggers are those that the program gives its numbers."""

import json
import re
from http import HTTPStatus

import pytest

from tests.deploy.files import TEXTS, documents
from tests.deploy.promql import expressions, labels, parsed, selected, series
from tests.deploy.stack import FLEET, Stack, watched
from workers.manager.model import Status
from workers.metrics import HEARTBEATS, METRICS, POLLS, TASKS, HeartbeatOutcome, PollOutcome, TaskOutcome

VALUES = {
    (POLLS.name, "outcome"): set(PollOutcome),
    (HEARTBEATS.name, "outcome"): set(HeartbeatOutcome),
    (TASKS.name, "outcome"): set(TaskOutcome),
    ("workers_manager_aws_calls_total", "error"): {""},  # or a code: rules ask whether there is one
    ("workers_manager_http_requests_total", "status"): {str(status.value) for status in HTTPStatus},
    ("workers_manager_workflows", "status"): set(Status),
}
"""The values that a label may be asked for."""
OF_AWS = {
    "ActivityArn": {
        "ActivitiesFailed",
        "ActivitiesHeartbeatTimedOut",
        "ActivitiesScheduled",
        "ActivitiesStarted",
        "ActivitiesSucceeded",
        "ActivitiesTimedOut",
    },
    "StateMachineArn": {
        "ExecutionsAborted",
        "ExecutionsFailed",
        "ExecutionsStarted",
        "ExecutionsSucceeded",
        "ExecutionsTimedOut",
    },
}
"""Metrics of AWS/States by their dimension ("Monitoring Step Functions metrics using Amazon CloudWatch")."""
FREE = {"activity", "job"}
"""Labels whose values are users' own."""


@pytest.mark.parametrize("where", expressions())
def test_every_series_and_every_label_exists(where: str):
    assert labels(parsed(expressions()[where])) <= set().union(*series().values())


@pytest.mark.parametrize("where", expressions())
def test_every_value_of_a_label_is_one_that_the_program_gives(where: str):
    for asked in selected(parsed(expressions()[where])):
        if asked.label not in FREE:
            possible = VALUES[asked.name, asked.label]
            unknown = [value for value in asked.values if not any(re.fullmatch(value, one) for one in possible)]
            assert not unknown, f"{asked.name} has no {asked.label} {unknown}, only {sorted(possible)}"


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        ("sum by (queue) (rate(workers_tasks_total[5m]))", "no label queue"),
        ('workers_slots{outcome="failed"}', "no label outcome"),
        ("histogram_quantile(0.9, sum by (activity) (rate(workers_handler_seconds_bucket[5m])))", "no label le"),
        ("workers_tasks", "workers_tasks"),
    ],
)
def test_what_is_wrong_with_an_expression_is_seen(wrong: str, why: str):
    with pytest.raises(LookupError, match=why):
        labels(parsed(wrong))


def test_a_value_that_nothing_has_is_seen():
    (asked,) = selected(parsed('rate(workers_tasks_total{outcome=~"refused|lost"}[5m]) > 0'))
    assert set(asked.values) - VALUES[asked.name, asked.label] == {"lost"}


def test_alerts_speak_of_labels_that_are_left():
    (rules,) = documents("prometheus/alerts.yaml")
    for rule in (rule for group in rules["groups"] for rule in group["rules"]):
        said = set(re.findall(r"\$labels\.(\w+)", " ".join(rule["annotations"].values())))
        assert said <= labels(parsed(rule["expr"])), rule["alert"]


def test_legends_and_variables_of_the_dashboard_are_labels_that_are_left():
    dashboard = json.loads(TEXTS["grafana/workers.json"])
    for panel in dashboard["panels"]:
        for target in panel["targets"]:
            said = set(re.findall(r"\{\{\s*(\w+)\s*\}\}", target["legendFormat"]))
            assert said <= labels(parsed(expressions()[f"{panel['title']} {target['refId']}"])), panel["title"]
    asked = [one["query"]["query"] for one in dashboard["templating"]["list"] if one["type"] == "query"]
    found = [re.fullmatch(r"label_values\((\w+), (\w+)\)", query) for query in asked]
    assert [one[2] in series()[one[1]] for one in found if one] == [True] * len(asked)


def test_meanings_of_metrics_name_their_outcomes():
    for metric in METRICS:
        if "outcome" in metric.labels:
            assert {f"`{value}`" for value in VALUES[metric.name, "outcome"]} <= set(re.findall(r"`\w+`", metric.help))


def test_metrics_of_step_functions_are_asked_for_by_their_dimension():
    asked = re.findall(r'SELECT \w+\((\w+)\) FROM SCHEMA\("AWS/States", (\w+)\)', TEXTS["ecs/alarms.yaml"])
    assert len(asked) == TEXTS["ecs/alarms.yaml"].count("AWS/States")
    for one in documents("kubernetes/scaled-object.yaml")[0]["spec"]["triggers"]:
        if one["metadata"].get("namespace") == "AWS/States":
            asked.append((one["metadata"]["metricName"], one["metadata"]["dimensionName"]))
    stack = watched(Stack("ecs/worker.yaml", **FLEET).resources)
    asked += [(name, dimension) for space, name, ((dimension, _), *_) in stack if space == "AWS/States"]
    assert {name for name, _ in asked} > {"ActivitiesHeartbeatTimedOut", "ActivitiesScheduled", "ExecutionsFailed"}
    assert [one for one in asked if one[0] not in OF_AWS[one[1]]] == []
