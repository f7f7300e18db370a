"""HTTP tasks: `http:invoke` calls an API with what an EventBridge connection knows of it.

Fields, result and error names: Step Functions developer guide, "Call HTTPS APIs". Other than on AWS, http:// is fine.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode, urlsplit

import aiohttp

from workers.local.calls import Call
from workers.local.documents import LIMIT
from workers.local.integrations.base import BaseService
from workers.local.integrations.clients import Clients
from workers.local.integrations.connections import SECONDS, Added, Pairs, added_by
from workers.local.integrations.resources import Resource
from workers.local.integrations.sdk import unfit
from workers.local.integrations.shapes import json_or_text
from workers.local.values.errors import StateError
from workers.local.values.scope import compact

SOCKET = "States.Http.Socket"
_FORM = "application/x-www-form-urlencoded"
_METHODS = {"GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"}


@dataclass(frozen=True, slots=True)
class Request:
    """What is sent."""

    method: str
    url: str
    headers: dict[str, str]
    query: Pairs
    body: str | None

    def shown(self) -> dict[str, str]:
        """As TestState shows it."""
        url = f"{self.url}{'&' if urlsplit(self.url).query else '?'}{urlencode(self.query)}" if self.query else self.url
        told = {"protocol": urlsplit(self.url).scheme, "method": self.method, "url": url}
        return told | {"headers": _listed(self.headers.items()), "body": self.body or ""}


@dataclass(frozen=True, slots=True)
class Exchange:
    """A request and its answer, for TestState. `request` has nothing that a connection added, `whole` has it all."""

    request: Request
    whole: Request
    response: dict[str, str]


class HttpService(BaseService):
    """A call of an API. `clients`: for the connection, which EventBridge and Secrets Manager know."""

    def __init__(self, resource: Resource, clients: Clients, region: str) -> None:
        super().__init__(resource)
        self._clients = clients
        self._region = region
        self.exchange: Exchange | None = None
        """The last one."""

    def check(self, parameters: Any) -> None:
        self._request(parameters, Added())

    async def submit(self, call: Call) -> Any:
        parameters = call.parameters
        own = self._request(parameters, Added())
        arn = _connection_arn(parameters)
        whole = self._request(parameters, await added_by(arn, self._clients)) if arn else own
        status, reason, headers, text = await _answer(whole)
        shown = {"protocol": urlsplit(whole.url).scheme, "statusCode": str(status), "statusMessage": reason}
        every = [(name, value) for name, values in headers.items() for value in values]
        self.exchange = Exchange(own, whole, shown | {"headers": _listed(every), "body": text})
        if status >= 400:
            raise StateError(f"States.Http.StatusCode.{status}", text)
        return {"Headers": headers, "ResponseBody": json_or_text(text), "StatusCode": status, "StatusText": reason}

    def _request(self, parameters: Any, added: Added) -> Request:
        """What the definition and a connection make. Raises `EvaluationError` for what cannot be sent."""
        if not isinstance(parameters, dict):
            raise unfit(parameters, "The value for the field 'Parameters' must be a STRUCTURE")
        endpoint, method = parameters.get("ApiEndpoint"), parameters.get("Method")
        if not isinstance(endpoint, str) or not endpoint.startswith(("https://", "http://")):
            raise unfit(parameters, "The field 'ApiEndpoint' must be the URL of an API")
        if method not in _METHODS:
            raise unfit(parameters, f"The field 'Method' must be one of {', '.join(sorted(_METHODS))}")
        headers = {
            "Content-Type": "application/json",
            "Range": f"bytes=0-{LIMIT}",
            "User-Agent": f"Amazon|StepFunctions|HttpInvoke|{self._region}",
        }
        headers |= {name: ",".join(_texts(value)) for name, value in _fields(parameters, "Headers").items()}
        query = [(key, text) for key, value in _fields(parameters, "QueryParameters").items() for text in _texts(value)]
        body = parameters.get("RequestBody")
        body = {**body, **added.body} if isinstance(body, dict) else body or added.body or None
        transform = _fields(parameters, "Transform")
        if transform.get("RequestBodyEncoding") == "URL_ENCODED":
            headers["Content-Type"] = _FORM
            options = _fields(transform, "RequestEncodingOptions")
            body = urlencode(list(_form(body or {}, "", options.get("ArrayFormat", "INDICES"))))
        text = body if isinstance(body, str) or body is None else compact(body)
        return Request(method, endpoint, headers | added.headers, query + added.query, text)


async def _answer(request: Request) -> tuple[int, str, dict[str, list[str]], str]:
    """Status, reason, headers and text."""
    timeout = aiohttp.ClientTimeout(total=SECONDS)
    try:
        async with (
            aiohttp.ClientSession(timeout=timeout) as session,
            session.request(
                request.method, request.url, headers=request.headers, params=request.query, data=request.body
            ) as answer,
        ):
            text = await answer.text(errors="replace")
    except TimeoutError:
        raise StateError(SOCKET, f"The API did not answer within {SECONDS:.0f} seconds") from None
    except (aiohttp.ClientError, ValueError) as error:
        raise StateError(SOCKET, str(error)) from None
    headers = {name.lower(): answer.headers.getall(name) for name in answer.headers}
    return answer.status, answer.reason or "", headers, text


def _listed(headers: Any) -> str:
    """Headers as TestState shows them."""
    return f"[{', '.join(f'{name}: {value}' for name, value in headers)}]"


def _connection_arn(parameters: dict[str, Any]) -> str | None:
    for field in ("InvocationConfig", "Authentication"):
        arn = _fields(parameters, field).get("ConnectionArn")
        if isinstance(arn, str):
            return arn
    return None


def _fields(parameters: dict[str, Any], name: str) -> dict[str, Any]:
    found = parameters.get(name) or {}
    if not isinstance(found, dict):
        raise unfit(parameters, f"The value for the field '{name}' must be a MAP")
    return found


def _texts(value: Any) -> list[str]:
    return [one if isinstance(one, str) else compact(one) for one in (value if isinstance(value, list) else [value])]


def _form(value: Any, name: str, arrays: str) -> Iterator[tuple[str, str]]:
    """The fields of a form that stand for some JSON."""
    if isinstance(value, dict):
        for key, member in value.items():
            yield from _form(member, f"{name}[{key}]" if name else key, arrays)
    elif isinstance(value, list) and arrays == "COMMAS":
        yield name, ",".join(_texts(value))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            suffix = {"REPEAT": "", "BRACKETS": "[]"}.get(arrays, f"[{index}]")
            yield from _form(item, name + suffix, arrays)
    else:
        yield name, _texts(value)[0]
