"""Pages that say what went wrong, in the words of whoever refused."""

import structlog
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ExceptionHandler

from workers.errors import WorkersError
from workers.stepfunctions.account import is_missing
from workers.stepfunctions.protocol import DeniedError, RefusedError, ServiceError
from workers.web.actions.refusals import Refusal, denial
from workers.web.rendering import render

log = structlog.get_logger(__name__)


async def _missing(request: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 500
    title = {404: "There is no such page", 405: "That cannot be asked of this page"}.get(status, "That did not work")
    detail = error.detail if isinstance(error, HTTPException) else ""
    message = detail if detail not in {"Not Found", "Method Not Allowed"} else request.url.path
    return render(request, "failure.html", status=status, title=title, message=message)


async def _service(request: Request, error: Exception) -> Response:
    if isinstance(error, ServiceError) and is_missing(error):
        return render(request, "failure.html", status=404, title="It does not exist", message=str(error))
    if isinstance(error, DeniedError):
        title = f"AWS denies {error.operation}"
        return render(request, "failure.html", status=403, title=title, message=denial(error))
    status, title = (
        (400, "Step Functions refuses") if isinstance(error, RefusedError) else (503, "Step Functions does not answer")
    )
    return render(request, "failure.html", status=status, title=title, message=str(error))


async def _refused(request: Request, error: Exception) -> Response:
    refusal = Refusal.of(error) if isinstance(error, WorkersError) else Refusal(str(error), 500)
    title = {404: "It does not exist", 503: "It does not answer now"}.get(refusal.status, "That cannot be")
    return render(request, "failure.html", status=refusal.status, title=title, message=refusal.message)


async def _broken(request: Request, error: Exception) -> Response:
    log.error("page failed", path=request.url.path, exc_info=error)
    message = "Something is wrong in this page itself: the log of the server says what."
    return render(request, "failure.html", status=500, title="That should not happen", message=message)


HANDLERS: dict[int | type[Exception], ExceptionHandler] = {
    HTTPException: _missing,
    ServiceError: _service,
    WorkersError: _refused,
    Exception: _broken,
}
