"""Spans of tasks."""

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode

from interceptors import Telemetry
from tests.interceptors.tasks import EXECUTION, known, make
from workers.errors import ActivityError, MissingExtraError
from workers.task import Task

TRACE_ID = "0af7651916cd43dd8448eb211c80319c"
TRACEPARENT = f"00-{TRACE_ID}-b7ad6b7169203331-01"


@pytest.fixture
def spans(monkeypatch: pytest.MonkeyPatch) -> InMemorySpanExporter:
    """The spans that are made."""
    exporter = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    monkeypatch.setattr(trace, "get_tracer", provider.get_tracer)
    monkeypatch.setattr(trace, "get_tracer_provider", lambda: provider)
    return exporter


async def handler(task: Task) -> str:
    return "done"


async def test_a_task_is_a_span_linked_to_its_execution(spans: InMemorySpanExporter):
    seen: list[bool] = []

    async def looking(task: Task) -> str:
        seen.append(trace.get_current_span().get_span_context().is_valid)
        return "done"

    assert await Telemetry()(known(retry=1), looking) == "done"
    await Telemetry()(known(redrive=1), looking)
    await Telemetry()(make(execution="arn:other", state="Charge"), looking)
    first, second, other = spans.get_finished_spans()
    assert seen == [True] * 3
    assert (first.name, first.kind) == ("charge", SpanKind.CONSUMER)
    assert first.attributes["aws.step_functions.execution.arn"] == EXECUTION
    assert first.attributes["aws.step_functions.state.name"] == "Charge"
    assert first.attributes["aws.step_functions.attempt"] == 2
    assert first.parent is None
    links = [span.links[0].context.trace_id for span in (first, second, other)]
    assert links[0] == links[1] != links[2], "all spans of an execution are linked to the same place"
    assert first.links[0].attributes["aws.step_functions.execution.arn"] == EXECUTION


@pytest.mark.parametrize("task", [make({"traceparent": TRACEPARENT}), make({}, traceparent=TRACEPARENT)])
async def test_a_traceparent_in_the_input_or_its_envelope_is_continued(spans: InMemorySpanExporter, task: Task):
    await Telemetry()(task, handler)
    (span,) = spans.get_finished_spans()
    assert f"{span.context.trace_id:032x}" == TRACE_ID
    assert span.parent.is_remote


@pytest.mark.parametrize("given", ["nonsense", 3, None, "00-" + "0" * 32 + "-" + "0" * 16 + "-01"])
async def test_a_traceparent_that_is_none_is_ignored(spans: InMemorySpanExporter, given: object):
    await Telemetry()(make({"traceparent": given}), handler)
    (span,) = spans.get_finished_spans()
    assert span.parent is None
    assert span.links == ()


async def test_a_failure_is_on_the_span(spans: InMemorySpanExporter):
    async def failing(task: Task) -> None:
        raise ActivityError("Declined", "no money")

    with pytest.raises(ActivityError):
        await Telemetry()(make(), failing)
    (span,) = spans.get_finished_spans()
    assert span.status.status_code is StatusCode.ERROR
    assert span.attributes["error.type"] == "Declined"
    assert span.events[0].name == "exception"


async def test_without_a_provider_nothing_is_recorded_and_nothing_breaks():
    assert await Telemetry()(known({"traceparent": TRACEPARENT}), handler) == "done"


def test_without_opentelemetry_the_extra_is_named(monkeypatch: pytest.MonkeyPatch):
    def missing(name: str) -> None:
        raise ModuleNotFoundError(name)

    monkeypatch.setattr("interceptors.telemetry.find_spec", missing)
    assert Telemetry.if_installed() is None
    with pytest.raises(MissingExtraError, match=r"pip install 'sfn-workers\[otel\]'"):
        Telemetry()


def test_with_opentelemetry_there_is_one():
    assert isinstance(Telemetry.if_installed(), Telemetry)
