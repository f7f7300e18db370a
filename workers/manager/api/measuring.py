"""The numbers of the service, for Prometheus and CloudWatch."""

import time
from collections import Counter as Tally
from collections.abc import Iterator

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.metrics_core import Metric as Family
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from workers.manager.model import Count, Status, Workflow
from workers.manager.store.interface import Store
from workers.metrics import PlainRegistry

PREFIX = "workers_manager"
_METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}
_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


class Measures:
    """Counts requests, calls and failures as they happen, and workflows in the store when somebody asks."""

    media_type = CONTENT_TYPE_LATEST

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self._requests = Counter(
            f"{PREFIX}_http_requests", "Requests answered.", ["method", "route", "status"], registry=self._registry
        )
        self._seconds = Histogram(
            f"{PREFIX}_http_seconds",
            "Seconds until the answer began.",
            ["method", "route"],
            buckets=_BUCKETS,
            registry=self._registry,
        )
        self._failed = Counter(
            f"{PREFIX}_workflows_failed",
            "Workflows that failed since the service was started, by the job that they failed in.",
            ["definition", "version", "job", "resource"],
            registry=self._registry,
        )
        self._calls = Counter(
            f"{PREFIX}_aws_calls",
            "Calls of Step Functions; `error` is empty, or the code of the answer.",
            ["operation", "error"],
            registry=self._registry,
        )
        self._events = Counter(
            f"{PREFIX}_events",
            "Messages about executions; `kind`: `news` of a workflow, `known` before or of others, `strange`.",
            ["kind"],
            registry=self._registry,
        )
        self._workflows = Gauge(
            f"{PREFIX}_workflows", "Workflows by status.", ["definition", "status"], registry=self._registry
        )
        self._unresolved = Gauge(
            f"{PREFIX}_workflows_unresolved",
            "Workflows that failed and that nobody has resolved.",
            ["definition"],
            registry=self._registry,
        )

    def request(self, method: str, route: str, status: int, seconds: float) -> None:
        """A request was answered."""
        self._requests.labels(method, route, str(status)).inc()
        self._seconds.labels(method, route).observe(seconds)

    def ended(self, workflow: Workflow) -> None:
        """A workflow has ended."""
        if workflow.status is Status.FAILED:
            definition, job = workflow.workflow_definition, workflow.last_job
            resource = job.state_resource.name if job and job.state_resource else ""
            self._failed.labels(definition.name, str(definition.version), job.state if job else "", resource).inc()

    def heard(self, kind: str, number: int) -> None:
        """So many messages about executions were taken from the queue."""
        self._events.labels(kind).inc(number)

    def called(self, operation: str, error: str | None) -> None:
        """A call of Step Functions was answered."""
        self._calls.labels(operation, error or "").inc()

    async def text(self, store: Store) -> bytes:
        """All numbers, as Prometheus reads them."""
        await self.count(store)
        return generate_latest(PlainRegistry(self._registry))

    def families(self) -> Iterator[Family]:
        """What is worth its price in CloudWatch: all but the numbers of each route, which a load balancer has too."""
        for family in PlainRegistry(self._registry).collect():
            if not family.name.startswith(f"{PREFIX}_http_"):
                yield family

    async def count(self, store: Store) -> None:
        """Reads from the store how many workflows there are."""
        counts = await store.counts()
        self._workflows.clear()
        self._unresolved.clear()
        for (definition, status), count in _by_status(counts):
            self._workflows.labels(definition, status).set(count)
        for definition, count in _unresolved(counts):
            self._unresolved.labels(definition).set(count)


def _by_status(counts: list[Count]) -> Iterator[tuple[tuple[str, str], int]]:
    tally: Tally[tuple[str, str]] = Tally()
    for one in counts:
        tally[one.workflow_definition_name, str(one.status)] += one.count
    yield from tally.items()


def _unresolved(counts: list[Count]) -> Iterator[tuple[str, int]]:
    tally: Tally[str] = Tally()
    for one in counts:
        if one.status is Status.FAILED and not one.resolved_by_user:
            tally[one.workflow_definition_name] += one.count
    yield from tally.items()


class Measured:
    """Measures requests."""

    def __init__(self, app: ASGIApp, *, measures: Measures) -> None:
        self._app = app
        self._measures = measures

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """See ASGI."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        begun = time.monotonic()

        async def measured(message: Message) -> None:
            if message["type"] == "http.response.start":
                route = getattr(scope.get("route"), "path", "")  # the router writes it down
                seconds = time.monotonic() - begun
                method = scope["method"] if scope["method"] in _METHODS else "other"  # a caller may send any word
                self._measures.request(method, route, message["status"], seconds)
            await send(message)

        await self._app(scope, receive, measured)
