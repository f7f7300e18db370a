"""`--metrics emf`: the metrics as JSON lines in CloudWatch's embedded metric format, printed once a minute.

Where stdout goes to CloudWatch Logs (ECS with awslogs, EKS, Lambda), CloudWatch makes metrics of them by itself.
Format: "Specification: Embedded metric format", Amazon CloudWatch user guide. A histogram is written as Values,
Counts, Min, Max, Sum and Count, as the CloudWatch exporter of OpenTelemetry does, so that percentiles work.
"""

import json
import math
import sys
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, Self

import anyio.to_thread
import structlog

from workers.errors import MissingExtraError
from workers.metrics import Metrics

if TYPE_CHECKING:
    from prometheus_client.metrics_core import Metric as Family

log = structlog.get_logger(__name__)

NAMESPACE = "sfn-workers"
"""The namespace of the metrics in CloudWatch."""

_OF_THE_PROCESS = frozenset({"process_resident_memory_bytes", "process_cpu_seconds", "process_open_fds"})
"""Metrics of the process that are worth their price there."""

Labels = tuple[tuple[str, str], ...]


class EmbeddedMetrics:
    """Prints while entered: every `interval` seconds, and what is left at the end.

    Counters and histograms are printed as what was added since the last time, gauges as they are.
    Raises `MissingExtraError` without prometheus-client.
    """

    def __init__(
        self,
        metrics: Metrics,
        worker: Callable[[], str],
        *,
        interval: float = 60.0,
        write: Callable[[str], None] | None = None,
    ) -> None:
        if metrics.registry is None:
            raise MissingExtraError("--metrics emf", "metrics")
        self._metrics = metrics
        self._worker = worker
        self._interval = interval
        self._write = write or _to_stdout
        self._before: dict[tuple[str, Labels], float] = defaultdict(float)
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="embedded metrics", daemon=True)

    async def __aenter__(self) -> Self:
        self._thread.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        self._ended.set()
        with anyio.CancelScope(shield=True):
            await anyio.to_thread.run_sync(self._thread.join)

    def lines(self) -> Iterable[str]:
        """What has changed since the last call, one line for each set of labels."""
        values: dict[Labels, dict[str, Any]] = defaultdict(dict)
        for family in self._metrics.families():
            if not family.name.startswith("workers_") and family.name not in _OF_THE_PROCESS:
                continue
            if family.type == "histogram":
                self._add_histogram(family, values)
            else:
                self._add_numbers(family, values)
        now = round(time.time() * 1000)
        for labels, numbers in values.items():
            yield json.dumps(_document(labels, numbers, now, self._worker()), separators=(",", ":"))

    def _run(self) -> None:
        try:
            while not self._ended.wait(self._interval):
                self._print()
            self._print()
        except OSError as error:
            log.warning("metrics no longer printed", error=str(error))

    def _print(self) -> None:
        for line in self.lines():
            self._write(line)

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


def _document(labels: Labels, numbers: dict[str, Any], now: int, worker: str) -> dict[str, Any]:
    metrics = [{"Name": name, "Unit": _unit(name)} for name in numbers]
    directive = {"Namespace": NAMESPACE, "Dimensions": [[name for name, _ in labels]], "Metrics": metrics}
    return {
        "_aws": {"Timestamp": now, "CloudWatchMetrics": [directive]},
        "worker": worker,
        **dict(labels),
        **numbers,
    }


def _unit(name: str) -> str:
    if name.removesuffix("_total").endswith("_seconds"):
        return "Seconds"
    return "Bytes" if name.endswith("_bytes") else "Count"


def _to_stdout(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()
