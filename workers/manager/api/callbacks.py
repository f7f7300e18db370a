"""`/callbacks`: tasks that somebody finishes by a key."""

from typing import Annotated, Any

from fastapi import APIRouter, Body, Path, Request
from starlette.responses import Response

from workers.callbacks.callbacks import Callbacks
from workers.callbacks.requests import REQUEST, finish_by_request
from workers.manager.api.answers import answer
from workers.manager.api.depends import failures
from workers.manager.errors import NotFoundError
from workers.manager.model import Model

router = APIRouter(tags=["callbacks"])
_REFERENCE = "#/components/schemas/{model}"
_SCHEMA = REQUEST.json_schema(ref_template=_REFERENCE)
SCHEMAS: dict[str, Any] = _SCHEMA.pop("$defs")
"""The schemas of the bodies, for the OpenAPI document."""
_BODY = {"requestBody": {"required": True, "content": {"application/json": {"schema": _SCHEMA}}}}
KeyPath = Annotated[str, Path(min_length=1, max_length=2_048, description="Slashes in it as %2F or as they are.")]


class CallbackOutcome(Model):
    """What has become of it: `delivered`, `kept`, `already_finished`, or `heartbeat`."""

    outcome: str


_KEPT: dict[int | str, dict[str, Any]] = {
    202: {"model": CallbackOutcome, "description": "Kept for a task that is to come."}
}


@router.post(
    "/callbacks/{key:path}",
    operation_id="finishCallback",
    response_model=CallbackOutcome,
    responses=_KEPT | failures(404, 409, 413),
    openapi_extra=_BODY,
)
async def finish_callback(request: Request, key: KeyPath, body: Annotated[Any, Body()]) -> Response:
    """Finishes the task that waits for a key, or says that the work for it goes on."""
    callbacks: Callbacks | None = request.app.state.callbacks
    if callbacks is None:
        raise NotFoundError("callbacks are not served here: start the service with --callbacks")
    status, said = await finish_by_request(callbacks, key, body)
    return answer(said, status=status)
