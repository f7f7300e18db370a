"""`POST /callbacks/{key}` without a web server: the body of a request in, status and body of the answer out."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from workers.callbacks.callbacks import Callbacks
from workers.callbacks.errors import CallbackStoreError
from workers.callbacks.ledger import Outcome
from workers.errors import UsageError
from workers.signatures import explain

_STATUS = {Outcome.DELIVERED: 200, Outcome.KEPT: 202, Outcome.ALREADY_FINISHED: 200, Outcome.CLOSED: 409}


class _Request(BaseModel):
    model_config = ConfigDict(extra="forbid")

    execution: Annotated[str, Field(min_length=1)] | None = None


class Success(_Request):
    """The task succeeds with `result`."""

    result: Any


class Failed(_Request):
    """The task fails."""

    error: Annotated[str, Field(min_length=1, max_length=256)]
    cause: Any = ""


class Beat(_Request):
    """The work goes on."""

    heartbeat: Literal[True]


REQUEST: TypeAdapter[Success | Failed | Beat] = TypeAdapter(Success | Failed | Beat)
"""What a request may say: `{"result": …}`, `{"error": …, "cause": …}` or `{"heartbeat": true}`, and `execution`."""


async def finish_by_request(callbacks: Callbacks, key: str, document: Any) -> tuple[int, dict[str, Any]]:
    """Does what `document`, the decoded JSON body of a request, says for `key`; returns status and body.

    200 delivered, finished before, or the heartbeat was taken; 202 kept for a task that is to come; 409 no task waits
    any more, or several do; 400 not understood; 503 the store cannot be used.
    """
    if not isinstance(document, dict) or not document.keys() & {"result", "error", "heartbeat"}:
        return 400, {"message": 'the body must be {"result": …}, {"error": …, "cause": …} or {"heartbeat": true}'}
    kind = Success if "result" in document else Failed if "error" in document else Beat
    try:
        request = kind.model_validate(document)
        return await _done(callbacks, key, request)
    except ValidationError as error:
        return 400, {"message": explain(error)}
    except UsageError as error:
        return (409 if type(error) is not UsageError else 400), {"message": str(error)}
    except CallbackStoreError as error:
        return 503, {"message": str(error)}


async def _done(callbacks: Callbacks, key: str, request: _Request) -> tuple[int, dict[str, Any]]:
    if isinstance(request, Beat):
        alive = await callbacks.heartbeat(key, execution=request.execution)
        return (200, {"outcome": "heartbeat"}) if alive else (409, {"message": f"no task waits for the key {key!r}"})
    if isinstance(request, Success):
        outcome = await callbacks.success(key, request.result, execution=request.execution)
    elif isinstance(request, Failed):
        outcome = await callbacks.failure(key, request.error, request.cause, execution=request.execution)
    else:
        raise TypeError(request)
    return _STATUS[outcome], {"outcome": outcome.value}
