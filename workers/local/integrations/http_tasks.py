"""HTTP tasks: `http:invoke` calls an API with what an EventBridge connection knows of it.

Fields, result and error names: Step Functions developer guide, "Call HTTPS APIs". Other than on AWS, http:// is fine.
"""

import base64
import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

import aiohttp

from workers.local.calls import Call
from workers.local.documents import LIMIT
from workers.local.integrations.base import BaseService
from workers.local.integrations.clients import Clients
from workers.local.integrations.resources import Resource
from workers.local.integrations.sdk import unfit
from workers.local.integrations.shapes import json_or_text
from workers.local.values.errors import RUNTIME, StateError
from workers.local.values.scope import compact

SECONDS = 60.0
"""That an API may take (developer guide, "HTTP Task")."""
SOCKET = "States.Http.Socket"
_FORM = "application/x-www-form-urlencoded"
_METHODS = {"GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"}
Pairs = list[tuple[str, str]]


class HttpService(BaseService):
    """A call of an API. `clients`: for the connection, which EventBridge and Secrets Manager know."""

    def __init__(self, resource: Resource, clients: Clients, region: str) -> None:
        super().__init__(resource)
        self._clients = clients
        self._region = region

    async def submit(self, call: Call) -> Any:
        parameters = call.parameters if isinstance(call.parameters, dict) else {}
        endpoint, method = parameters.get("ApiEndpoint"), parameters.get("Method")
        if not isinstance(endpoint, str) or not endpoint.startswith(("https://", "http://")):
            raise unfit(call.parameters, "The field 'ApiEndpoint' must be the URL of an API")
        if method not in _METHODS:
            raise unfit(call.parameters, f"The field 'Method' must be one of {', '.join(sorted(_METHODS))}")
        headers = {
            "Content-Type": "application/json",
            "Range": f"bytes=0-{LIMIT}",
            "User-Agent": f"Amazon|StepFunctions|HttpInvoke|{self._region}",
        }
        headers |= {name: ",".join(_texts(value)) for name, value in _fields(parameters, "Headers").items()}
        query = [(key, text) for key, value in _fields(parameters, "QueryParameters").items() for text in _texts(value)]
        body = parameters.get("RequestBody")
        if arn := _connection_arn(parameters):
            more_headers, more_query, more_body = await self._connection(arn)
            headers |= more_headers
            query += more_query
            body = {**body, **more_body} if isinstance(body, dict) else body or more_body or None
        transform = _fields(parameters, "Transform")
        if transform.get("RequestBodyEncoding") == "URL_ENCODED":
            headers["Content-Type"] = _FORM
            options = _fields(transform, "RequestEncodingOptions")
            body = urlencode(list(_form(body or {}, "", options.get("ArrayFormat", "INDICES"))))
        return await _answer(method, endpoint, headers, query, body)

    async def _connection(self, arn: str) -> tuple[dict[str, str], Pairs, dict[str, str]]:
        """Headers, query parameters and members of the body that a connection adds."""
        name = arn.partition(":connection/")[2].partition("/")[0]
        events, secrets = await self._clients.get("events"), await self._clients.get("secretsmanager")
        try:
            known = await events.describe_connection(Name=name)
            secret = json.loads((await secrets.get_secret_value(SecretId=known["SecretArn"]))["SecretString"])
        except (events.exceptions.ClientError, KeyError, ValueError) as error:
            raise StateError("Events.ConnectionResource.NotFound", f"The connection {arn}: {error}") from None
        kind, added = known["AuthorizationType"], secret.get("invocation_http_parameters") or {}
        headers, query, body = (
            {one["key"]: one["value"] for one in added.get(f"{part}_parameters") or []}
            for part in ("header", "query_string", "body")
        )
        if kind == "API_KEY":
            headers[secret["api_key_name"]] = secret["api_key_value"]
        elif kind == "BASIC":
            pair = f"{secret['username']}:{secret['password']}".encode()
            headers["Authorization"] = f"Basic {base64.b64encode(pair).decode()}"
        else:
            raise StateError(RUNTIME, f"The embedded Step Functions does not play {kind} connections: mock the task")
        return headers, list(query.items()), body


async def _answer(method: str, url: str, headers: dict[str, str], query: Pairs, body: Any) -> dict[str, Any]:
    data = body if isinstance(body, str) or body is None else compact(body)
    timeout = aiohttp.ClientTimeout(total=SECONDS)
    try:
        async with (
            aiohttp.ClientSession(timeout=timeout) as session,
            session.request(method, url, headers=headers, params=query, data=data) as answer,
        ):
            text = await answer.text(errors="replace")
    except TimeoutError:
        raise StateError(SOCKET, f"The API did not answer within {SECONDS:.0f} seconds") from None
    except (aiohttp.ClientError, ValueError) as error:
        raise StateError(SOCKET, str(error)) from None
    if answer.status >= 400:
        raise StateError(f"States.Http.StatusCode.{answer.status}", text)
    return {
        "Headers": {name.lower(): answer.headers.getall(name) for name in answer.headers},
        "ResponseBody": json_or_text(text),
        "StatusCode": answer.status,
        "StatusText": answer.reason or "",
    }


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
