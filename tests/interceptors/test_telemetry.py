"""The ids of a task on log lines and spans."""

import sys

import anyio
import pytest
import structlog
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode

from interceptors import Telemetry
from tests.interceptors.tasks import EXECUTION, known, make
from workers.errors import ActivityError, MissingExtraError
from workers.task import Task

log = structlog.get_logger("a handler")

TRACE_ID = "0af7651916cd43dd8448eb211c80319c"
TRACEPARENT = f"00-{TRACE_ID}-b7ad6b7169203331-01"


@pytest.fixture
def lines(monkeypatch: pytest.MonkeyPatch) -> list[dict]:
    """Log lines with what is bound to the context."""
    found: list[dict] = []

    def keep(_: object, __: str, event: dict) -> dict:
        found.append(dict(event))
        raise structlog.DropEvent

    before = structlog.get_config()
    structlog.configure(processors=[structlog.contextvars.merge_contextvars, keep], cache_logger_on_first_use=False)
    yield found
    structlog.configure(**before)


@pytest.fixture
def spans(monkeypatch: pytest.MonkeyPatch) -> InMemorySpanExporter:
    """The spans that are made."""
    exporter = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    monkeypatch.setattr(trace, "get_tracer", provider.get_tracer)
    return exporter


async def logging(task: Task) -> str:
    log.info("working")
    await anyio.to_thread.run_sync(log.info, "in a thread")
    return "done"


async def test_every_line_of_a_handler_carries_the_ids_of_its_task(lines: list[dict]):
    assert await Telemetry()(known(retry=2), logging) == "done"
    log.info("after it")
    for line in lines[:2]:
        assert line["activity"] == "charge"
        assert line["execution"] == EXECUTION
        assert line["state"] == "Charge"
        assert line["attempt"] == 3
        assert len(line["task"]) == 10
    assert "secret-token" not in str(lines)
    assert lines[2] == {"event": "after it"}


async def test_what_is_not_known_is_left_out(lines: list[dict]):
    await Telemetry()(make(), logging)
    assert lines[0].keys() == {"event", "activity", "task"}


async def test_tasks_at_once_do_not_share_their_ids(lines: list[dict]):
    async def slow(task: Task) -> None:
        await anyio.sleep(0.01)
        log.info("working", expected=task.state)

    async with anyio.create_task_group() as group:
        for state in ("A", "B", "C"):
            group.start_soon(Telemetry(), make(execution=EXECUTION, state=state), slow)
    assert [line["state"] == line["expected"] for line in lines] == [True] * 3


async def test_a_task_is_a_span_linked_to_its_execution(spans: InMemorySpanExporter):
    seen: list[bool] = []

    async def handler(task: Task) -> str:
        seen.append(trace.get_current_span().get_span_context().is_valid)
        return "done"

    await Telemetry()(known(retry=1), handler)
    await Telemetry()(known(redrive=1), handler)
    await Telemetry()(make(execution="arn:other", state="Charge"), handler)
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
    await Telemetry()(task, logging)
    (span,) = spans.get_finished_spans()
    assert f"{span.context.trace_id:032x}" == TRACE_ID
    assert span.parent.is_remote


@pytest.mark.parametrize("given", ["nonsense", 3, None, "00-" + "0" * 32 + "-" + "0" * 16 + "-01"])
async def test_a_traceparent_that_is_none_is_ignored(spans: InMemorySpanExporter, given: object):
    await Telemetry()(make({"traceparent": given}), logging)
    (span,) = spans.get_finished_spans()
    assert span.parent is None
    assert span.links == ()


async def test_a_failure_is_on_the_span(spans: InMemorySpanExporter):
    async def handler(task: Task) -> None:
        raise ActivityError("Declined", "no money")

    with pytest.raises(ActivityError):
        await Telemetry()(make(), handler)
    (span,) = spans.get_finished_spans()
    assert span.status.status_code is StatusCode.ERROR
    assert span.attributes["error.type"] == "Declined"
    assert span.events[0].name == "exception"


async def test_spans_can_be_turned_off(spans: InMemorySpanExporter):
    await Telemetry(spans=False)(make(), logging)
    assert spans.get_finished_spans() == ()


async def test_without_opentelemetry_there_are_only_log_lines(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "opentelemetry.trace", None)
    assert await Telemetry()(make(), logging) == "done"
    with pytest.raises(MissingExtraError, match=r"pip install 'sfn-workers\[otel\]'"):
        Telemetry(spans=True)
