"""The engine's HTTP side: AWS's JSON protocol for Step Functions, and all else to the other services.

A poll costs a future here, not a thread. When its client goes, aiohttp cancels the handler, and the poll with it.
"""

import inspect
import json
import re
import uuid
from collections.abc import Callable
from typing import Any

import structlog
from aiohttp import web
from aiohttp.web_request import BaseRequest

from workers.arns import Place
from workers.local import requests
from workers.local.errors import ApiError
from workers.local.harsh.bad_day import AnswerLostError, BadDay
from workers.local.operations.table import OPERATIONS
from workers.local.region import Region
from workers.local.services import OtherServices
from workers.settings import LOCAL_ACCOUNT, LOCAL_REGION

log = structlog.get_logger(__name__)

_TARGET = "AWSStepFunctions."
_CONTENT_TYPE = "application/x-amz-json-1.0"
_REGION = re.compile(r"Credential=[^/]*/\d+/(?P<region>[\w-]+)/")
_PARTITIONS = {"cn-": "aws-cn", "us-gov-": "aws-us-gov"}


class Server:
    """Answers requests. Regions come into being when they are first asked."""

    def __init__(
        self, services: OtherServices, new_region: Callable[[Place], Region], bad_day: BadDay | None = None
    ) -> None:
        self._services = services
        self._new_region = new_region
        self._bad_day = bad_day
        self._regions: dict[str, Region] = {}

    async def __call__(self, request: BaseRequest) -> web.StreamResponse:
        target = request.headers.get("X-Amz-Target", "")
        try:
            if not target.startswith(_TARGET):
                answer = await self._services.answer(request)
                return self._bad_day.of_another_service(request, answer) if self._bad_day else answer
            return _response(200, await self._answer(target.removeprefix(_TARGET), request))
        except ApiError as error:
            return _response(400, {"__type": error.code, "message": error.message})
        except AnswerLostError:
            if request.transport is not None:
                request.transport.abort()
            return _response(500, {})  # which nobody gets
        except NotImplementedError as error:  # moto: an operation that it does not play
            return _response(501, {"__type": "NotImplemented", "message": str(error)})
        except Exception:
            log.exception("A request failed", target=target, path=request.path)
            return _response(500, {"__type": "InternalFailure", "message": "see the log of the embedded engine"})

    def close(self) -> None:
        """Aborts all executions."""
        if self._bad_day:
            self._bad_day.close()
        for region in self._regions.values():
            region.close()

    async def _answer(self, name: str, request: BaseRequest) -> dict[str, Any]:
        operation = OPERATIONS.get(name)
        if operation is None:
            known = name in requests.operations()
            raise ApiError(
                "UnknownOperationException",
                f"The embedded Step Functions does not play {name}" if known else f"Unknown operation {name}",
            )
        try:
            body = json.loads(await request.read() or b"{}")
        except (ValueError, RecursionError):
            raise ApiError("SerializationException", "the request is not JSON") from None
        region, parameters = self._region(request), requests.check(name, body)
        if self._bad_day:
            return await self._bad_day.answer(name, region, parameters, operation)
        answer = operation(region, parameters)
        return await answer if inspect.isawaitable(answer) else answer

    def _region(self, request: BaseRequest) -> Region:
        found = _REGION.search(request.headers.get("Authorization", ""))
        name = found["region"] if found else LOCAL_REGION
        if name not in self._regions:
            partition = next((value for prefix, value in _PARTITIONS.items() if name.startswith(prefix)), "aws")
            self._regions[name] = self._new_region(Place(partition, name, LOCAL_ACCOUNT))
        return self._regions[name]


def _response(status: int, body: dict[str, Any]) -> web.Response:
    """Members that are None are left out; times are seconds since 1970, as this protocol has them."""
    present = {name: value for name, value in body.items() if value is not None}
    return web.Response(
        body=json.dumps(present).encode(),
        status=status,
        headers={"Content-Type": _CONTENT_TYPE, "x-amzn-RequestId": str(uuid.uuid4())},
    )
