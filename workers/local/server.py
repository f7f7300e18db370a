"""The engine's HTTP side: AWS's JSON protocol for Step Functions, and all else to the other services.

A poll costs a future here, not a thread. When its client goes, its connection cancels it.
"""

import inspect
import json
import re
import uuid
from typing import Any
from xml.sax.saxutils import escape

import structlog

from workers.arns import LOCAL_REGION
from workers.errors import MissingExtraError
from workers.local.errors import ApiError
from workers.local.harsh.bad_day import AnswerLostError, BadDay
from workers.local.http.messages import Answer, Request
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

    async def __call__(self, request: Request) -> Answer | None:
        """The answer; None where it gets lost on the way."""
        target = request.header("x-amz-target")
        try:
            if target.startswith(_TARGET):
                return _response(200, await self._answer(target.removeprefix(_TARGET), request))
            return await self._answer_of_another(request)
        except ApiError as error:
            return _response(400, {"__type": error.code, "message": error.message})
        except AnswerLostError:
            return None
        except Exception:
            log.exception("A request failed", target=target, path=request.path)
            return _response(500, {"__type": "InternalFailure", "message": "see the log of the embedded engine"})

    async def _answer_of_another(self, request: Request) -> Answer:
        try:
            answer = await self._services.answer(request)
        except NotImplementedError as error:  # moto: an operation that it does not play
            return _response(501, {"__type": "NotImplemented", "message": str(error)})
        except MissingExtraError as error:
            return _not_installed(str(error), json_wanted=bool(request.header("x-amz-target")))
        return self._bad_day.of_another_service(request, answer) if self._bad_day else answer

    async def _answer(self, name: str, request: Request) -> dict[str, Any]:
        try:
            body = json.loads(request.body or b"{}")
        except (ValueError, RecursionError):
            raise ApiError("SerializationException", "the request is not JSON") from None
        found = _REGION.search(request.header("authorization"))
        region = self._regions.get(found["region"] if found else LOCAL_REGION)
        operation, parameters = accepted(name, body)
        if self._bad_day:
            operation = self._bad_day.seeing(name, region, operation)
        operation = self._regions.lasting(name, operation)
        region.clock.touch()
        if self._bad_day:
            return await self._bad_day.answer(name, region, parameters, operation)
        answer = operation(region, parameters)
        return await answer if inspect.isawaitable(answer) else answer


def _not_installed(message: str, *, json_wanted: bool) -> Answer:
    if json_wanted:
        return _response(501, {"__type": "NotInstalled", "message": message})
    told = f"<Error><Code>NotInstalled</Code><Message>{escape(message)}</Message></Error>"
    body = f"<ErrorResponse>{told}<RequestId>{uuid.uuid4()}</RequestId></ErrorResponse>"
    return Answer(501, body.encode(), [("Content-Type", "text/xml; charset=utf-8")])


def _response(status: int, body: dict[str, Any]) -> Answer:
    """Members that are None are left out; times are seconds since 1970, as this protocol has them."""
    present = {name: value for name, value in body.items() if value is not None}
    headers = [("Content-Type", _CONTENT_TYPE), ("x-amzn-RequestId", str(uuid.uuid4()))]
    return Answer(status, json.dumps(present).encode(), headers)
