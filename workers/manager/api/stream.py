"""`/changes`: workflows as they change, as server-sent events."""

import json
from collections.abc import AsyncIterator
from datetime import datetime
from typing import Annotated, Any

import anyio
from fastapi import APIRouter, Header, Query, Request
from pydantic import TypeAdapter, ValidationError
from starlette.responses import StreamingResponse

from workers.manager.api.depends import failures
from workers.manager.changes import Changes
from workers.manager.errors import UnavailableError
from workers.manager.model import Time, WorkflowSummary, now

router = APIRouter(tags=["workflows"])

_BEAT = 15.0
"""Seconds of silence after which a comment is sent, so that nothing on the way closes the connection."""
_TIME: TypeAdapter[datetime] = TypeAdapter(Time)
_EVENTS: dict[int | str, dict[str, Any]] = {
    200: {"description": "Events named `workflow`.", "content": {"text/event-stream": {"schema": {"type": "string"}}}}
}


@router.get(
    "/changes",
    operation_id="getChanges",
    response_class=StreamingResponse,
    responses=_EVENTS | failures(),
)
async def get_changes(
    request: Request,
    workflow_definition_name: Annotated[
        str | None, Query(alias="workflowDefinitionName", max_length=200, description="Only of this definition.")
    ] = None,
    last_event_id: Annotated[
        str | None,
        Header(alias="Last-Event-ID", max_length=400, description="Of the last event before the connection broke."),
    ] = None,
) -> StreamingResponse:
    """Workflows as they change: server-sent events named `workflow`, each with one as in lists.

    From now on; with `Last-Event-ID`, which browsers send when they connect again, also what has changed meanwhile.
    """
    changes: Changes = request.app.state.manager.recent_changes
    events = _events(changes, workflow_definition_name, _time_of(last_event_id))
    return StreamingResponse(events, media_type="text/event-stream")


async def _events(changes: Changes, name: str | None, since: datetime | None) -> AsyncIterator[str]:
    async with changes.listen() as news:
        yield f"retry: 2000\n{_mark(since or now())}: listening\n\n"
        told: dict[str, int] = {}
        if since:
            try:
                async for workflow in changes.missed(since, name):
                    told[workflow.id] = workflow.revision
                    yield _event(workflow)
            except UnavailableError:
                return  # who connects again asks again
        while True:
            workflow_ = None
            with anyio.move_on_after(_BEAT):
                try:
                    workflow_ = await news.receive()
                except anyio.EndOfStream:
                    return
            if workflow_ is None:
                yield f"{_mark(now())}: still here\n\n"
            elif name in {None, workflow_.workflow_definition.name} and told.get(workflow_.id, -1) < workflow_.revision:
                yield _event(workflow_)


def _event(workflow: WorkflowSummary) -> str:
    document = workflow.to_json()
    data = json.dumps(document, ensure_ascii=False, separators=(",", ":"))
    return f"id: {document['lastUpdated']}/{workflow.id}/{workflow.revision}\nevent: workflow\ndata: {data}\n\n"


def _mark(time: datetime) -> str:
    """The id of no event: up to here, all was told."""
    return f"id: {_TIME.dump_python(time, mode='json')}\n"


def _time_of(event: str | None) -> datetime | None:
    """The time of the change that an event told; None where there is none, or no event of ours."""
    try:
        return _TIME.validate_python((event or "").partition("/")[0])
    except ValidationError:
        return None
