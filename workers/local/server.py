"""The engine's HTTP side: AWS's JSON protocol for Step Functions, and all else to the other services.

A poll costs a future here, not a thread. When its client goes, aiohttp cancels the handler, and the poll with it.
"""

import inspect
import json
import re
import uuid
from typing import Any
from xml.sax.saxutils import escape

import structlog
from aiohttp import web
from aiohttp.web_request import BaseRequest

from workers.arns import LOCAL_REGION
from workers.errors import MissingExtraError
from workers.local.errors import ApiError
from workers.local.harsh.bad_day import AnswerLostError, BadDay
from workers.local.regions import Regions, accepted
from workers.local.services import OtherServices

log = structlog.get_logger(__name__)

_TARGET = "AWSStepFunctions."
_CONTENT_TYPE = "application/x-amz-json-1.0"
_REGION = re.compile(r"Credential=[^/]*/\d+/(?P<region>[\w-]+)/")


class Server:
    """Answers requests: those of Step Functions itself, all others by `services`."""

    def __init__(self, services: OtherServices, regions: Regions, bad_day: BadDay | None = None) -> None:
        self._services = services
        self._regions = regions
        self._bad_day = bad_day

    async def __call__(self, request: BaseRequest) -> web.StreamResponse:
        target = request.headers.get("X-Amz-Target", "")
        try:
            if target.startswith(_TARGET):
                return _response(200, await self._answer(target.removeprefix(_TARGET), request))
            return await self._answer_of_another(request)
        except ApiError as error:
            return _response(400, {"__type": error.code, "message": error.message})
        except AnswerLostError:
            if request.transport is not None:
                request.transport.abort()
            return _response(500, {})  # which nobody gets
        except Exception:
            log.exception("A request failed", target=target, path=request.path)
            return _response(500, {"__type": "InternalFailure", "message": "see the log of the embedded engine"})

    async def _answer_of_another(self, request: BaseRequest) -> web.StreamResponse:
        try:
            answer = await self._services.answer(request)
        except NotImplementedError as error:  # moto: an operation that it does not play
            return _response(501, {"__type": "NotImplemented", "message": str(error)})
        except MissingExtraError as error:
            return _not_installed(str(error), json_wanted="X-Amz-Target" in request.headers)
        return self._bad_day.of_another_service(request, answer) if self._bad_day else answer

    async def _answer(self, name: str, request: BaseRequest) -> dict[str, Any]:
        try:
            body = json.loads(await request.read() or b"{}")
        except (ValueError, RecursionError):
            raise ApiError("SerializationException", "the request is not JSON") from None
        found = _REGION.search(request.headers.get("Authorization", ""))
        region = self._regions.get(found["region"] if found else LOCAL_REGION)
        operation, parameters = accepted(name, body)
        operation = self._regions.lasting(name, operation)
        region.clock.touch()
        if self._bad_day:
            return await self._bad_day.answer(name, region, parameters, operation)
        answer = operation(region, parameters)
        return await answer if inspect.isawaitable(answer) else answer


def _not_installed(message: str, *, json_wanted: bool) -> web.Response:
    if json_wanted:
        return _response(501, {"__type": "NotInstalled", "message": message})
    told = f"<Error><Code>NotInstalled</Code><Message>{escape(message)}</Message></Error>"
    body = f"<ErrorResponse>{told}<RequestId>{uuid.uuid4()}</RequestId></ErrorResponse>"
    return web.Response(text=body, status=501, content_type="text/xml")


def _response(status: int, body: dict[str, Any]) -> web.Response:
    """Members that are None are left out; times are seconds since 1970, as this protocol has them."""
    present = {name: value for name, value in body.items() if value is not None}
    return web.Response(
        body=json.dumps(present).encode(),
        status=status,
        headers={"Content-Type": _CONTENT_TYPE, "x-amzn-RequestId": str(uuid.uuid4())},
    )
