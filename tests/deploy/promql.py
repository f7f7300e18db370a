"""What dashboards, alert rules and triggers ask of Prometheus: their expressions, and the labels that come out."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from tests.deploy.files import TEXTS, documents
from tests.docs.tables import manager_metrics_rows
from workers.metrics import METRICS, Kind

OF_TARGETS = {"instance", "job"}
"""Labels that Prometheus itself gives to whatever it scrapes."""
OTHERS = {"process_cpu_seconds_total", "process_resident_memory_bytes", "up"}
"""What a worker shows of its process, and Prometheus of whatever it scrapes."""


def expressions() -> dict[str, str]:
    """Every PromQL expression, by where it stands; Grafana's variables have a value."""
    (rules,) = documents("prometheus/alerts.yaml")
    found = {rule["alert"]: rule["expr"] for group in rules["groups"] for rule in group["rules"]}
    for panel in json.loads(TEXTS["grafana/workers.json"])["panels"]:
        found |= {f"{panel['title']} {target['refId']}": target["expr"] for target in panel["targets"]}
    for number, trigger in enumerate(documents("kubernetes/scaled-object.yaml")[0]["spec"]["triggers"]):
        if trigger["type"] == "prometheus":
            found[f"trigger {number}"] = trigger["metadata"]["query"]
    variables = {"$__rate_interval": "5m", "$activity": ".+"}
    return {where: _with(variables, text) for where, text in found.items()}


def _with(variables: dict[str, str], text: str) -> str:
    for name, value in variables.items():
        text = text.replace(name, value)
    return text


def series() -> dict[str, set[str]]:
    """The labels of everything that a worker or a workflow manager shows, by the name of the series."""
    shown = [(metric.name, metric.kind, set(metric.labels)) for metric in METRICS]
    for name, kind, labels, _ in manager_metrics_rows():
        shown.append((name.strip("`"), Kind(kind), set(labels.replace("`", "").split(", "))))
    found = {name: set[str]() for name in OTHERS}
    for name, kind, labels in shown:
        if kind is Kind.HISTOGRAM:
            found |= {f"{name}_bucket": {*labels, "le"}, f"{name}_sum": labels, f"{name}_count": labels}
        else:
            found[name] = labels
    return {name: labels | OF_TARGETS for name, labels in found.items()}


@dataclass(frozen=True)
class Selected:
    """One series that an expression selects, and the values of a label that it asks for."""

    name: str
    label: str
    values: tuple[str, ...]


def parsed(text: str) -> Any:
    import promql_parser

    return promql_parser.parse(text)


def selected(node: Any) -> Iterator[Selected]:
    """All that an expression asks of labels; a regular expression is taken apart at its bars."""
    kind = type(node).__name__
    if kind == "VectorSelector":
        for one in node.matchers.matchers:
            values = one.value.split("|") if "Re" in str(one.op) else [one.value]
            yield Selected(node.name, one.name, tuple(values))
    for inner in _inside(node):
        yield from selected(inner)


def labels(node: Any) -> set[str]:
    """The labels of what comes out of an expression. `LookupError` for a series or a label that does not exist."""
    kind = type(node).__name__
    if kind == "VectorSelector":
        found = series()[node.name]
        for one in node.matchers.matchers:
            _among({one.name}, found, node.name)
        return found
    if kind == "AggregateExpr":
        inner, modifier = labels(node.expr), node.modifier
        if modifier is None:
            return set()
        assert str(modifier.type).endswith("By"), "`without` is not known here"
        return _among(set(modifier.labels), inner, node.prettify())
    if kind == "BinaryExpr":
        sides = [found for side in (node.lhs, node.rhs) if (found := labels(side))]
        assert sides[1:] in ([], sides[:1]), f"both sides are matched by all labels: {node.prettify()}"
        return sides[0] if sides else set()
    found = set[str]().union(*map(labels, _inside(node)))
    if kind == "Call" and node.func.name == "histogram_quantile":
        return found - _among({"le"}, found, node.prettify())
    return found


def _inside(node: Any) -> list[Any]:
    """The expressions that an expression is made of."""
    if type(node).__name__ == "MatrixSelector":
        return [node.vector_selector]
    if type(node).__name__ == "Call":
        return list(node.args)
    return [found for name in ("expr", "lhs", "rhs") if (found := getattr(node, name, None)) is not None]


def _among(wanted: set[str], known: set[str], where: str) -> set[str]:
    if unknown := wanted - known:
        raise LookupError(f"{where} has no label {', '.join(sorted(unknown))}, only {', '.join(sorted(known))}")
    return wanted
