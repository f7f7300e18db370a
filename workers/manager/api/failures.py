"""Errors as answers: what the caller can mend is 4xx, what passes is 503, and each says what and where.

What AWS denies the service is 424 (failed dependency, RFC 4918): clients try again after a 503, which mends no right.
"""

from collections.abc import Mapping
from typing import Any

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response

from workers.errors import UsageError, WorkersError
from workers.manager.api.answers import refuse
from workers.manager.errors import (
    AwsDeniedError,
    ConflictError,
    InvalidError,
    NotFoundError,
    TooLargeError,
    UnavailableError,
)
from workers.stepfunctions.protocol import DeniedError, ServiceError

log = structlog.get_logger(__name__)

_STATUSES: Mapping[type[WorkersError], int] = {
    TooLargeError: 413,
    NotFoundError: 404,
    ConflictError: 409,
    InvalidError: 400,
    AwsDeniedError: 424,  # before the errors that trying again may mend: this one nobody mends by that
    UnavailableError: 503,
    ServiceError: 503,
    UsageError: 400,
}
_WAIT = {"Retry-After": "1"}


def add_failures(app: FastAPI) -> None:
    """Lets `app` answer errors."""
    app.add_exception_handler(WorkersError, _failed)
    app.add_exception_handler(RequestValidationError, _malformed)
    app.add_exception_handler(HTTPException, _missing)
    app.add_exception_handler(Exception, _broken)


async def _failed(request: Request, error: Exception) -> Response:
    if isinstance(error, DeniedError):
        error = AwsDeniedError.of(error)
    status = next((status for kind, status in _STATUSES.items() if isinstance(error, kind)), None)
    if status is None:
        return await _broken(request, error)
    headers = _WAIT if status == 503 else {}
    message = _missed(request, error) if status == 404 else str(error)
    return refuse(status, message, headers=headers, problems=getattr(error, "problems", ()))


def _missed(request: Request, error: Exception) -> str:
    """What there is none of: the store says which, and the path says what."""
    place, _, one = request.url.path.strip("/").partition("/")
    kind = "definition" if place in _STARTS and not one else _KINDS.get(place)
    return f"there is no {kind} {error}" if kind else str(error)


_STARTS = {"workflows", "jobs"}
_KINDS = {
    "workflow-definitions": "definition",
    "workflows": "workflow",
    "state-resources": "state resource",
    "queues": "queue",
}


async def _malformed(request: Request, error: Exception) -> Response:
    del request
    problems = error.errors() if isinstance(error, RequestValidationError) else ()
    return refuse(400, "; ".join(map(_explained, problems)))


def _explained(problem: Mapping[str, Any]) -> str:
    """A problem of a request, with the field it is about, in the words of the first clients where they had some."""
    place, *keys = problem["loc"]
    name = ".".join(map(str, keys))
    if not keys and place == "body":
        return (
            "request body is required, but was empty" if problem["type"] == "missing" else f"the body: {_text(problem)}"
        )
    if problem["type"] == "missing":
        return f"query parameter '{name}' must be specified" if place == "query" else f"{name} is required"
    if problem["type"] == "string_type" and ("Tags" in name or name.startswith("tags")):
        return f"{name}: error converting tag value to string: {problem['input']!r}"
    return f"{name}: {_text(problem)}"


def _text(problem: Mapping[str, Any]) -> str:
    message = str(problem["msg"]).removeprefix("Value error, ")
    return f"{message[0].lower()}{message[1:]}"


async def _missing(request: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 404
    headers = dict(error.headers or {}) if isinstance(error, HTTPException) else {}
    if status == 404:
        return refuse(404, f"there is no {request.url.path}")
    if status == 405:
        return refuse(405, f"{request.method} cannot be asked of {request.url.path}", headers=headers)
    return refuse(status, str(getattr(error, "detail", error)), headers=headers)


async def _broken(request: Request, error: Exception) -> Response:
    log.error("request failed", method=request.method, path=request.url.path, exc_info=error)
    return refuse(500, "something is wrong in the service itself: its log says what")
