"""Who a log line or a span belongs to: the ids of the task on all that happens for it."""

import hashlib
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import TYPE_CHECKING, Any

from structlog.contextvars import bound_contextvars

from interceptors.chain import CallNext
from workers.errors import MissingExtraError
from workers.task import Task

if TYPE_CHECKING:
    from opentelemetry.trace import Link, Span, Tracer

_TRACE = ("traceparent", "tracestate")


class Telemetry:
    """Binds the task's ids to the log lines of everything inside it, and opens an OpenTelemetry span around it.

    Lines of structlog carry `activity`, `task` (a hash of the token) and, where they are known, `execution`, `state`
    and `attempt`; also in a handler's thread. Spans are made where OpenTelemetry is installed (extra `otel`): one a
    task, linked to its execution, and continuing the trace that a `traceparent` in the input or its envelope names.
    `spans=False` makes none; `spans=True` insists. Which exporter gets them is OpenTelemetry's own configuration.
    """

    def __init__(self, *, spans: bool | None = None) -> None:
        self._tracer = None if spans is False else _tracer()
        if spans and self._tracer is None:
            raise MissingExtraError("Telemetry(spans=True)", "otel")

    async def __call__(self, task: Task, call_next: CallNext, /) -> Any:
        """Calls on, with the ids bound."""
        with bound_contextvars(**_ids(task)), self._span(task):
            return await call_next(task)

    def _span(self, task: Task) -> AbstractContextManager[Any]:
        return nullcontext() if self._tracer is None else _span(self._tracer, task)


def _ids(task: Task) -> dict[str, Any]:
    label = hashlib.sha256(task.token.encode()).hexdigest()[:10]
    ids = {"activity": task.activity, "task": label, "execution": task.execution, "state": task.state}
    return {name: value for name, value in {**ids, "attempt": task.attempt}.items() if value is not None}


def _tracer() -> "Tracer | None":
    try:
        from opentelemetry.trace import get_tracer
    except ImportError:
        return None
    from workers.version import __version__

    return get_tracer("sfn-workers", __version__)


@contextmanager
def _span(tracer: "Tracer", task: Task) -> "Iterator[Span]":
    from opentelemetry.trace import SpanKind
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

    carried = _carried(task)
    with tracer.start_as_current_span(
        task.activity,
        context=TraceContextTextMapPropagator().extract(carried) if carried else None,
        kind=SpanKind.CONSUMER,
        attributes=_attributes(task),
        links=_links(task),
    ) as span:
        try:
            yield span
        except Exception as error:
            span.set_attribute("error.type", str(getattr(error, "error_name", type(error).__name__)))
            raise


def _carried(task: Task) -> dict[str, str]:
    """The trace that the input or its envelope says to continue."""
    given = task.input if isinstance(task.input, dict) else {}
    carried = {name: given[name] for name in _TRACE if isinstance(given.get(name), str)}
    if task.context and task.context.traceparent:
        carried.setdefault("traceparent", task.context.traceparent)
    return carried


def _attributes(task: Task) -> dict[str, str | int | float]:
    known = {
        "aws.step_functions.activity.name": task.activity,
        "aws.step_functions.execution.arn": task.execution,
        "aws.step_functions.state.name": task.state,
        "aws.step_functions.attempt": task.attempt,
        "aws.step_functions.queued_seconds": task.queued_seconds,
    }
    return {name: value for name, value in known.items() if value is not None}


def _links(task: Task) -> "list[Link]":
    """A link to the execution: its spans, in whatever trace, share the ids that its ARN hashes to."""
    if task.execution is None:
        return []
    from opentelemetry.trace import Link, SpanContext

    digest = hashlib.sha256(task.execution.encode()).digest()
    trace_id, span_id = int.from_bytes(digest[:16]), int.from_bytes(digest[16:24])
    execution = SpanContext(trace_id=trace_id, span_id=span_id, is_remote=True)
    return [Link(execution, {"aws.step_functions.execution.arn": task.execution})]
