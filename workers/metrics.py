"""The metrics of a worker: every name, label and meaning in one table, and what the rest of the worker tells it.

The numbers are kept by prometheus-client (extra `metrics`); without it, or where nobody asked for metrics, every
method here does nothing. Each `Metrics` has a registry of its own, so that several workers fit in one process.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from workers.errors import ErrorName, MissingExtraError

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry
    from prometheus_client.metrics_core import Metric as Family


class Kind(StrEnum):
    """What kind of number a metric is."""

    COUNTER = "counter"
    GAUGE = "gauge"
    HISTOGRAM = "histogram"


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric: its name says the unit."""

    name: str
    kind: Kind
    help: str
    labels: tuple[str, ...] = ()
    buckets: tuple[float, ...] = ()
    """Upper bounds in the metric's unit, for a histogram."""


_TO_AN_HOUR = (0.005, 0.025, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 900.0, 3600.0)
_TO_HALF_A_MINUTE = (0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)

POLLS = Metric(
    "workers_polls_total",
    Kind.COUNTER,
    "Polls that ended: `task`, `empty`, or the error code of one that failed.",
    ("activity", "outcome"),
)
QUEUE_WAIT = Metric(
    "workers_queue_wait_seconds",
    Kind.HISTOGRAM,
    "Seconds from entering the state until a poll brought the task; only of tasks whose definition says when.",
    ("activity",),
    _TO_AN_HOUR,
)
TASKS = Metric(
    "workers_tasks_total",
    Kind.COUNTER,
    "Tasks that ended: `succeeded`, `failed`, `unconfirmed`, `closed`, `refused` or `given_up`; "
    "`error` is empty, a name that starts with `Worker.`, or `handler` for whatever a handler raised.",
    ("activity", "outcome", "error"),
)
HANDLER = Metric(
    "workers_handler_seconds",
    Kind.HISTOGRAM,
    "Seconds that a task spent in its interceptors and its handler.",
    ("activity",),
    _TO_AN_HOUR,
)
HANDLER_RETRIES = Metric(
    "workers_handler_retries_total",
    Kind.COUNTER,
    "Calls of a handler beyond the first, within one task, by the interceptor `Retry`.",
    ("activity",),
)
SLOTS = Metric("workers_slots", Kind.GAUGE, "Slots: tasks that may run at once.", ("activity",))
SLOTS_USED = Metric("workers_slots_used", Kind.GAUGE, "Slots taken by a poll or by a task.", ("activity",))
POLLERS_OPEN = Metric("workers_pollers_open", Kind.GAUGE, "Polls that are open at Step Functions.", ("activity",))
HEARTBEATS = Metric(
    "workers_heartbeats_total",
    Kind.COUNTER,
    "Heartbeats that ended: `accepted`, `closed`, or the error code of one that failed.",
    ("outcome",),
)
REPORT_RETRIES = Metric(
    "workers_report_retries_total", Kind.COUNTER, "Reports of a result that had to be repeated.", ("api",)
)
THROTTLES = Metric("workers_throttles_total", Kind.COUNTER, "Calls that Step Functions throttled.", ("api",))
LOOP_LAG = Metric(
    "workers_event_loop_lag_seconds",
    Kind.HISTOGRAM,
    "Seconds by which the event loop was late for a timer.",
    (),
    _TO_HALF_A_MINUTE,
)
ABANDONED_THREADS = Metric(
    "workers_abandoned_threads", Kind.GAUGE, "Threads that still run a handler whose task has been reported."
)
ACTIVE_PERCENT = Metric(
    "workers_active_percent",
    Kind.GAUGE,
    "Percent of the last minute in which the slots of `workers exec` worked on tasks, without the time in which polls "
    "were held back; in CloudWatch also as `ActivityActivePercent`.",
    ("activity",),
)

METRICS = (
    POLLS,
    QUEUE_WAIT,
    TASKS,
    HANDLER,
    HANDLER_RETRIES,
    SLOTS,
    SLOTS_USED,
    POLLERS_OPEN,
    HEARTBEATS,
    REPORT_RETRIES,
    THROTTLES,
    LOOP_LAG,
    ABANDONED_THREADS,
    ACTIVE_PERCENT,
)
"""Every metric, in the order of the reference page."""

HANDLER_ERROR = "handler"
"""The `error` label of all errors that are not this framework's own: names chosen by users have no bound."""
_OWN_ERRORS = frozenset(ErrorName)


class PollOutcome(StrEnum):
    """How a poll ended that did not fail, as a label; else it is the error's code."""

    TASK = "task"
    EMPTY = "empty"


class HeartbeatOutcome(StrEnum):
    """How a heartbeat ended that did not fail, as a label; else it is the error's code."""

    ACCEPTED = "accepted"
    CLOSED = "closed"


class TaskOutcome(StrEnum):
    """How a task ended, as a label."""

    SUCCEEDED = "succeeded"
    FAILED = "failed"
    UNCONFIRMED = "unconfirmed"
    """Probably accepted: a repeated report was answered "closed"."""
    CLOSED = "closed"
    """Step Functions no longer waited for it."""
    REFUSED = "refused"
    """Step Functions took neither the result nor a failure in its place."""
    GIVEN_UP = "given_up"
    """The worker ended before its report was accepted."""


Increment = Callable[[], None]
Observe = Callable[[float], None]


class Metrics:
    """The metrics of one worker. `active=False`, or no prometheus-client: everything is forgotten.

    Every method is safe to call from any thread and takes about a microsecond.
    """

    def __init__(self, *, active: bool = True) -> None:
        self.registry = _registry() if active else None
        """The prometheus-client registry that holds the numbers, or None where none are kept."""
        self._kept: dict[str, Any] = {}
        if self.registry is not None:
            self._kept = {metric.name: _kept(metric, self.registry) for metric in METRICS}
        self._activities: dict[str, ActivityMetrics] = {}
        self._heartbeats = self.counts(HEARTBEATS)
        self._report_retries = self.counts(REPORT_RETRIES)
        self._throttles = self.counts(THROTTLES)
        self._loop_lag = self.observes(LOOP_LAG)

    def activity(self, name: str) -> "ActivityMetrics":
        """The metrics of the activity `name`; always the same object."""
        if name not in self._activities:
            self._activities[name] = ActivityMetrics(self, name)
        return self._activities[name]

    def heartbeat(self, outcome: str) -> None:
        """A heartbeat ended: a `HeartbeatOutcome` or an error code."""
        self._heartbeats[(outcome,)]()

    def report_retried(self, api: str) -> None:
        """A report by `api`, as in SendTaskSuccess, is about to be repeated."""
        self._report_retries[(api,)]()

    def throttled(self, api: str) -> None:
        """Step Functions throttled a call of `api`, as in GetActivityTask."""
        self._throttles[(api,)]()

    def loop_lag(self, seconds: float) -> None:
        """The event loop was `seconds` late."""
        self._loop_lag(seconds)

    def watch_abandoned_threads(self, count: Callable[[], int]) -> None:
        """`count()` says how many threads are abandoned; asked at each scrape, from another thread."""
        self.watches(ABANDONED_THREADS, (), count)

    def counts(self, metric: Metric, first: tuple[str, ...] = ()) -> dict[tuple[str, ...], Increment]:
        """What increments `metric`, by the values of the labels that follow `first`; made at first use."""
        counter = self._kept.get(metric.name)
        return defaultdict(lambda: _nothing) if counter is None else _Counts(counter, first)

    def observes(self, metric: Metric, labels: tuple[str, ...] = ()) -> Observe:
        """What adds an observation to the histogram `metric`."""
        histogram = self._kept.get(metric.name)
        if histogram is None:
            return _nothing
        observe: Observe = (histogram.labels(*labels) if labels else histogram).observe
        return observe

    def watches(self, metric: Metric, labels: tuple[str, ...], value: Callable[[], float]) -> None:
        """Makes `value()` the value of the gauge `metric`; asked at each scrape, from another thread."""
        if (gauge := self._kept.get(metric.name)) is not None:
            (gauge.labels(*labels) if labels else gauge).set_function(value)

    def exposition(self, accept: str = "") -> tuple[bytes, str]:
        """The numbers as Prometheus reads them, and their content type, for an Accept header.

        Raises `MissingExtraError` when prometheus-client is not installed.
        """
        if self.registry is None:
            raise MissingExtraError("/metrics", "metrics")
        from prometheus_client.exposition import choose_encoder

        encode, content_type = choose_encoder(accept)
        return encode(PlainRegistry(self.registry)), content_type

    def families(self) -> "Iterable[Family]":
        """The numbers as prometheus-client's metric families; nothing where none are kept."""
        return PlainRegistry(self.registry).collect() if self.registry is not None else ()

    def add_process(self) -> None:
        """Adds memory, CPU, open files and the Python version. For the one owner of the process."""
        if self.registry is not None:
            from prometheus_client import PlatformCollector, ProcessCollector

            ProcessCollector(registry=self.registry)
            PlatformCollector(registry=self.registry)


class ActivityMetrics:
    """The metrics of one activity, with its label bound once. From `Metrics.activity`."""

    def __init__(self, metrics: Metrics, name: str) -> None:
        self._metrics = metrics
        self._name = name
        self._polls = metrics.counts(POLLS, (name,))
        self._tasks = metrics.counts(TASKS, (name,))
        self._retries = metrics.counts(HANDLER_RETRIES, (name,))
        self.queued = metrics.observes(QUEUE_WAIT, (name,))
        """`queued(seconds)`: a task came that had waited so long (`task.queued_seconds`, where it is known)."""
        self.handled = metrics.observes(HANDLER, (name,))
        """`handled(seconds)`: the chain and its handler ended after so long."""

    def polled(self, outcome: str) -> None:
        """A poll ended: a `PollOutcome` or an error code."""
        self._polls[(outcome,)]()

    def ended(self, outcome: TaskOutcome, error: str = "") -> None:
        """A task ended; `error` is the name that was reported, or empty."""
        own = not error or error in _OWN_ERRORS
        self._tasks[(outcome, error if own else HANDLER_ERROR)]()

    def retried(self, times: int) -> None:
        """The handler of one task was called again so often."""
        for _ in range(times):
            self._retries[()]()

    def watch(
        self, *, slots: Callable[[], int], slots_used: Callable[[], int], pollers_open: Callable[[], int]
    ) -> None:
        """Where to ask for the gauges; asked at each scrape, from another thread: read a number, lock nothing."""
        for metric, value in ((SLOTS, slots), (SLOTS_USED, slots_used), (POLLERS_OPEN, pollers_open)):
            self._metrics.watches(metric, (self._name,), value)


class _Counts(dict[tuple[str, ...], Increment]):
    """`increments[labels]()`, each child looked up in prometheus-client only once."""

    def __init__(self, counter: Any, first: tuple[str, ...]) -> None:
        super().__init__()
        self._counter = counter
        self._first = first

    def __missing__(self, labels: tuple[str, ...]) -> Increment:
        increment: Increment = self._counter.labels(*self._first, *labels).inc
        self[labels] = increment
        return increment


class PlainRegistry:
    """A registry without the `_created` series, which say nothing that a process's start time does not."""

    def __init__(self, registry: "CollectorRegistry") -> None:
        self._registry = registry

    def collect(self) -> "Iterable[Family]":
        """The families, as a registry gives them."""
        for family in self._registry.collect():
            family.samples = [sample for sample in family.samples if not sample.name.endswith("_created")]
            yield family


def _nothing(_: float = 0.0) -> None:
    """Keeps no number."""


def _registry() -> "CollectorRegistry | None":
    try:
        from prometheus_client import CollectorRegistry
    except ImportError:
        return None
    return CollectorRegistry()


def _kept(metric: Metric, registry: "CollectorRegistry") -> Any:
    from prometheus_client import Counter, Gauge, Histogram

    text = metric.help.replace("`", "")
    if metric.kind is Kind.HISTOGRAM:
        return Histogram(metric.name, text, metric.labels, buckets=metric.buckets, registry=registry)
    return (Counter if metric.kind is Kind.COUNTER else Gauge)(metric.name, text, metric.labels, registry=registry)
