"""CloudWatch's embedded metric format: numbers as JSON lines, of which CloudWatch Logs makes metrics by itself.

Format: "Specification: Embedded metric format", Amazon CloudWatch user guide. A histogram is written as Values,
Counts, Min, Max, Sum and Count, as the CloudWatch exporter of OpenTelemetry does, so that percentiles work.
"""

import json
import math
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from prometheus_client.metrics_core import Metric as Family

NAMESPACE = "sfn-workers"
"""The namespace of the metrics in CloudWatch."""

Labels = tuple[tuple[str, str], ...]


class EmbeddedLines:
    """What prometheus-client keeps, as lines.

    Counters and histograms are written as what was added since the last time, gauges as they are.
    """

    def __init__(
        self,
        families: "Callable[[], Iterable[Family]]",
        properties: Callable[[], dict[str, str]],
        *,
        dimensions: dict[str, str] | None = None,
    ) -> None:
        """`families`: what is to be written; `properties`: what else stands in each line, and is no dimension.

        `dimensions`: those of every line, beside the labels.
        """
        self._families = families
        self._properties = properties
        self._everywhere = tuple((dimensions or {}).items())
        self._before: dict[tuple[str, Labels], float] = defaultdict(float)

    def lines(self) -> Iterable[str]:
        """What has changed since the last call, one line for each set of labels."""
        values: dict[Labels, dict[str, Any]] = defaultdict(dict)
        for family in self._families():
            if family.type == "histogram":
                self._add_histogram(family, values)
            else:
                self._add_numbers(family, values)
        now = round(time.time() * 1000)
        for labels, numbers in values.items():
            document = _document(labels + self._everywhere, numbers, now, self._properties())
            yield json.dumps(document, separators=(",", ":"))

    def _add_numbers(self, family: "Family", values: dict[Labels, dict[str, Any]]) -> None:
        for sample in family.samples:
            labels = _dimensions(sample.labels)
            if family.type == "gauge":
                values[labels][sample.name] = sample.value
            elif added := self._added(sample.name, tuple(sample.labels.items()), sample.value):
                values[labels][sample.name] = added

    def _add_histogram(self, family: "Family", values: dict[Labels, dict[str, Any]]) -> None:
        sums: dict[Labels, float] = {}
        buckets: dict[Labels, list[tuple[float, float]]] = defaultdict(list)
        for sample in family.samples:
            added = self._added(sample.name, tuple(sample.labels.items()), sample.value)
            labels = _dimensions({name: value for name, value in sample.labels.items() if name != "le"})
            if sample.name.endswith("_sum"):
                sums[labels] = added
            elif sample.name.endswith("_bucket"):
                buckets[labels].append((float(sample.labels["le"]), added))
        for labels, upper_bounds in buckets.items():
            if found := _distribution(upper_bounds, sums[labels]):
                values[labels][family.name] = found

    def _added(self, name: str, labels: Labels, value: float) -> float:
        before, self._before[name, labels] = self._before[name, labels], value
        return value - before


def _distribution(cumulative: list[tuple[float, float]], total: float) -> dict[str, Any] | None:
    """Each bucket as its middle and its count; None when nothing was added."""
    values: list[float] = []
    counts: list[float] = []
    low = seen = 0.0
    least, most = math.inf, 0.0
    for high, count in cumulative:
        top = low if high == math.inf else high
        if count > seen:
            values.append((low + top) / 2)
            counts.append(count - seen)
            least, most = min(least, low), max(most, top)
        low, seen = top, count
    if not counts:
        return None
    return {"Values": values, "Counts": counts, "Min": least, "Max": most, "Sum": total, "Count": sum(counts)}


def _dimensions(labels: dict[str, str]) -> Labels:
    """Labels as dimensions, which CloudWatch wants to be at least one character long."""
    return tuple((name, value) for name, value in labels.items() if value)


def _document(labels: Labels, numbers: dict[str, Any], now: int, properties: dict[str, str]) -> dict[str, Any]:
    metrics = [{"Name": name, "Unit": _unit(name)} for name in numbers]
    directive = {"Namespace": NAMESPACE, "Dimensions": [[name for name, _ in labels]], "Metrics": metrics}
    return {
        "_aws": {"Timestamp": now, "CloudWatchMetrics": [directive]},
        **properties,
        **dict(labels),
        **numbers,
    }


def _unit(name: str) -> str:
    if name.removesuffix("_total").endswith("_seconds"):
        return "Seconds"
    return "Bytes" if name.endswith("_bytes") else "Count"


def to_stdout(line: str) -> None:
    """Prints a line at once: whoever reads stdout may be a pipe."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()
