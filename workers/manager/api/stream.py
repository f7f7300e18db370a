"""`/changes`: workflows as they change, as server-sent events."""

import json
from collections.abc import AsyncIterator
from typing import Annotated, Any

import anyio
from fastapi import APIRouter, Query, Request
from starlette.responses import StreamingResponse

from workers.manager.api.depends import failures
from workers.manager.changes import Changes
from workers.manager.model import WorkflowSummary

router = APIRouter(tags=["workflows"])

_BEAT = 15.0
"""Seconds of silence after which a comment is sent, so that nothing on the way closes the connection."""
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
) -> StreamingResponse:
    """Workflows as they change, from now on: server-sent events named `workflow`, each with one as in lists."""
    changes: Changes = request.app.state.manager.recent_changes
    return StreamingResponse(_events(changes, workflow_definition_name), media_type="text/event-stream")


async def _events(changes: Changes, name: str | None) -> AsyncIterator[str]:
    async with changes.listen() as news:
        yield "retry: 2000\n: listening\n\n"
        while True:
            workflow = None
            with anyio.move_on_after(_BEAT):
                try:
                    workflow = await news.receive()
                except anyio.EndOfStream:
                    return
            if workflow is None:
                yield ": still here\n\n"
            elif name in {None, workflow.workflow_definition.name}:
                yield _event(workflow)


def _event(workflow: WorkflowSummary) -> str:
    data = json.dumps(workflow.to_json(), ensure_ascii=False, separators=(",", ":"))
    return f"id: {workflow.id}-{workflow.revision}\nevent: workflow\ndata: {data}\n\n"
