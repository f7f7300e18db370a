"""What an EventBridge connection adds to the request of an HTTP task (EventBridge user guide, "Connections").

EventBridge and its Secrets Manager are moto's. A connection by OAuth gets a fresh token for each request, so that
there is nothing to refresh after a 401.
"""

import base64
import json
from dataclasses import dataclass, field
from typing import Any

import aiohttp

from workers.local.integrations.clients import Clients
from workers.local.values.errors import StateError

SECONDS = 60.0
"""That an API, or who gives the tokens for it, may take (developer guide, "HTTP Task")."""
Pairs = list[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Added:
    """What a connection adds, all of it secret."""

    headers: dict[str, str] = field(default_factory=dict)
    query: Pairs = field(default_factory=list)
    body: dict[str, str] = field(default_factory=dict)


async def added_by(arn: str, clients: Clients) -> Added:
    """What the connection `arn` adds. Raises `StateError` Events.ConnectionResource.…"""
    name = arn.partition(":connection/")[2].partition("/")[0]
    events, secrets = await clients.get("events"), await clients.get("secretsmanager")
    try:
        known = await events.describe_connection(Name=name)
        secret = json.loads((await secrets.get_secret_value(SecretId=known["SecretArn"]))["SecretString"])
    except (events.exceptions.ClientError, KeyError, ValueError) as error:
        raise StateError("Events.ConnectionResource.NotFound", f"The connection {arn}: {error}") from None
    added = _parameters(secret.get("invocation_http_parameters"))
    authorization = await _authorization(known["AuthorizationType"], secret, arn)
    return Added(added.headers | authorization, added.query, added.body)


def _parameters(given: dict[str, Any] | None) -> Added:
    headers, query, body = (
        {one["key"]: one["value"] for one in (given or {}).get(f"{part}_parameters") or []}
        for part in ("header", "query_string", "body")
    )
    return Added(headers, list(query.items()), body)


async def _authorization(kind: str, secret: dict[str, Any], arn: str) -> dict[str, str]:
    if kind == "API_KEY":
        return {secret["api_key_name"]: secret["api_key_value"]}
    if kind == "BASIC":
        pair = f"{secret['username']}:{secret['password']}".encode()
        return {"Authorization": f"Basic {base64.b64encode(pair).decode()}"}
    try:
        return {"Authorization": f"Bearer {await _token(secret)}"}
    except (aiohttp.ClientError, TimeoutError, KeyError, TypeError, ValueError) as error:
        why = f"The connection {arn} is not authorized: {error!r}"
        raise StateError("Events.ConnectionResource.InvalidConnectionState", why) from None


async def _token(secret: dict[str, Any]) -> str:
    """The access token that the client's credentials are exchanged for (RFC 6749, section 4.4)."""
    client, more = secret["client_parameters"], _parameters(secret.get("o_auth_http_parameters"))
    form = {"grant_type": "client_credentials", "client_id": client["client_id"]}
    form |= {"client_secret": client["client_secret"], **more.body}
    async with (
        aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=SECONDS), raise_for_status=True) as session,
        session.request(
            secret["http_method"], secret["authorization_endpoint"], headers=more.headers, params=more.query, data=form
        ) as answer,
    ):
        found = json.loads(await answer.text())
        return str(found["access_token"])
