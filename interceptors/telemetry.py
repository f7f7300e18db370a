"""OpenTelemetry spans: what a task took, and where it belongs."""

import hashlib
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, Optional

from interceptors.chain import CallNext
from workers.errors import MissingExtraError
from workers.task import Task
from workers.version import __version__

if TYPE_CHECKING:
    from opentelemetry.trace import Link

_TRACE = ("traceparent", "tracestate")


class Telemetry:
    """Opens a span around each task, linked to its execution.

    It continues the trace that a `traceparent` (and `tracestate`) in the input, or in its envelope, names. Where no
    such trace is given, it begins one; the link, to ids that the execution's ARN hashes to, holds the spans of an
    execution together. Needs the extra `otel`; which exporter gets the spans is OpenTelemetry's own configuration,
    and until there is one it does nothing.
    """

    def __init__(self) -> None:
        if not _installed():
            raise MissingExtraError("Telemetry", "otel")
        from opentelemetry import trace

        self._trace = trace
        self._tracer = trace.get_tracer("sfn-workers", __version__)

    @classmethod
    def if_installed(cls) -> Optional["Telemetry"]:
        """One, where OpenTelemetry is installed."""
        return cls() if _installed() else None

    @property
    def set_up(self) -> bool:
        """Whether OpenTelemetry has been given a tracer provider, so that there is somebody to tell."""
        return not isinstance(self._trace.get_tracer_provider(), self._trace.ProxyTracerProvider)

    async def __call__(self, task: Task, call_next: CallNext, /) -> Any:
        """Calls on, within a span."""
        if not self.set_up:
            return await call_next(task)
        from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

        carried = _carried(task)
        with self._tracer.start_as_current_span(
            task.activity,
            context=TraceContextTextMapPropagator().extract(carried) if carried else None,
            kind=self._trace.SpanKind.CONSUMER,
            attributes=_attributes(task),
            links=_links(task),
        ) as span:
            try:
                return await call_next(task)
            except Exception as error:
                span.set_attribute("error.type", str(getattr(error, "error_name", type(error).__name__)))
                raise


def _installed() -> bool:
    try:
        return find_spec("opentelemetry.trace") is not None
    except ModuleNotFoundError:
        return False


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
