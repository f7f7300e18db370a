"""What operators and Grafana read, by models made of their own definitions, where a key that is unknown is lost."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.deploy.files import TEXTS, documents

FOUND = [one for path in TEXTS if path.startswith("kubernetes/") for one in documents(path)]
TRIGGERS = {
    "prometheus": (
        {"serverAddress", "query", "threshold"},
        {"activationThreshold", "customHeaders", "ignoreNullValues", "namespace", "queryParameters", "timeout"},
    ),
    "aws-cloudwatch": (
        {
            "awsRegion",
            "metricName",
            "namespace",
            "dimensionName",
            "dimensionValue",
            "targetMetricValue",
            "minMetricValue",
        },
        {
            "activationTargetMetricValue",
            "metricCollectionTime",
            "metricStat",
            "metricStatPeriod",
            "metricEndTimeOffset",
        },
    ),
}
"""What a trigger must have and may have, as "Scalers" in KEDA's documentation says: the definition leaves it open."""


def models() -> dict[str, Any]:
    """The model of each kind, by its group and name."""
    from cloudcoil.models.keda import v1alpha1 as keda
    from cloudcoil.models.prometheus_operator import v1 as prometheus

    kinds = (keda.ScaledObject, keda.TriggerAuthentication, prometheus.PrometheusRule, prometheus.ServiceMonitor)
    return {f"{kind.gvk().api_version} {kind.gvk().kind}": kind for kind in kinds}


def problem(document: dict[str, Any]) -> str:
    """What is wrong with a manifest; a key that its definition does not have would be dropped, and not seen again."""
    try:
        model = models()[f"{document['apiVersion']} {document['kind']}"].model_validate(document)
    except ValueError as error:
        return str(error)
    return "" if model.model_dump(by_alias=True, exclude_unset=True, mode="json") == document else "unknown keys"


def of(kind: str) -> list[dict[str, Any]]:
    return [one for one in FOUND if one["kind"] == kind]


@pytest.mark.parametrize("kind", ["ScaledObject", "TriggerAuthentication", "ServiceMonitor"])
def test_manifests_are_those_of_their_operators(kind: str):
    assert of(kind)
    assert [problem(one) for one in of(kind)] == [""] * len(of(kind))


def test_rules_are_those_of_prometheus():
    (rules,) = documents("prometheus/alerts.yaml")
    rule = {
        "apiVersion": "monitoring.coreos.com/v1",
        "kind": "PrometheusRule",
        "metadata": {"name": "x"},
        "spec": rules,
    }
    assert problem(rule) == ""
    rules["groups"][0]["rules"][0]["For"] = "10m"
    assert problem(rule) == "unknown keys"


def test_what_is_wrong_with_a_manifest_is_seen():
    (scaled,) = of("ScaledObject")
    assert problem({**scaled, "spec": {**scaled["spec"], "minReplicas": 1}}) == "unknown keys"
    assert "scaleTargetRef" in problem({**scaled, "spec": {"triggers": scaled["spec"]["triggers"]}})


def test_triggers_have_what_their_scalers_read():
    (scaled,) = of("ScaledObject")
    logins = {one["metadata"]["name"] for one in of("TriggerAuthentication")}
    for trigger in scaled["spec"]["triggers"]:
        needed, possible = TRIGGERS[trigger["type"]]
        assert needed <= trigger["metadata"].keys() <= needed | possible
        assert {type(value) for value in trigger["metadata"].values()} == {str}
        assert trigger.get("authenticationRef", {}).get("name") in {None, *logins}


def test_a_wait_in_the_queue_multiplies_the_workers_that_there_are():
    (scaled,) = of("ScaledObject")
    (wait,) = [one for one in scaled["spec"]["triggers"] if "queue_wait" in one["metadata"].get("query", "")]
    assert wait["metricType"] == "Value"  # with AverageValue it is the number of workers in all
    assert wait["metadata"]["query"].endswith(" >= 0 or vector(0)")  # where no task came, the quantile is NaN
    others = [one for one in scaled["spec"]["triggers"] if one is not wait]
    assert {one.get("metricType", "AverageValue") for one in others} == {"AverageValue"}


def test_the_dashboard_is_one_of_grafana():
    from grafana_foundation_sdk.cog.encoder import JSONEncoder
    from grafana_foundation_sdk.cog.plugins import register_default_plugins
    from grafana_foundation_sdk.models.dashboard import Dashboard

    register_default_plugins()
    written = json.loads(TEXTS["grafana/workers.json"])
    read = json.loads(JSONEncoder().encode(Dashboard.from_json(json.loads(TEXTS["grafana/workers.json"]))))
    assert list(lost(written, read)) == []
    written["panels"][0]["fieldConfig"]["defaults"]["units"] = "ops"
    assert list(lost(written, read)) == [".panels[0].fieldConfig.defaults.units"]


def lost(written: Any, read: Any, where: str = "") -> Iterator[str]:
    """What a parser has not taken over; it may add defaults."""
    if isinstance(written, dict) and isinstance(read, dict):
        for key, value in written.items():
            yield from lost(value, read.get(key), f"{where}.{key}")
    elif isinstance(written, list) and isinstance(read, list) and len(written) == len(read):
        for number, (one, other) in enumerate(zip(written, read, strict=True)):
            yield from lost(one, other, f"{where}[{number}]")
    elif written != read:
        yield where


def test_panels_do_not_lie_on_each_other():
    panels = json.loads(TEXTS["grafana/workers.json"])["panels"]
    cells = [
        (x, y)
        for panel in panels
        for x in range(panel["gridPos"]["x"], panel["gridPos"]["x"] + panel["gridPos"]["w"])
        for y in range(panel["gridPos"]["y"], panel["gridPos"]["y"] + panel["gridPos"]["h"])
    ]
    assert len(set(cells)) == len(cells)
    assert max(x for x, _ in cells) < 24
    assert len({panel["id"] for panel in panels}) == len(panels)
