"""HTTP tasks, against an API on this machine; and what TestState shows of them."""

import base64
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import web

from tests.account import ROLE, Account, unique
from tests.local.helpers import connect
from tests.local.integrations.conftest import ask
from workers.local import LocalStepFunctions
from workers.local.integrations.integrations import Integrations
from workers.local.values.errors import StateError


@pytest.fixture
async def api(unused_tcp_port: int) -> AsyncIterator[str]:
    """An API that tells what it was asked; /refuse refuses, /token gives tokens to who knows the secret."""

    async def tell(request: web.Request) -> web.Response:
        if request.path == "/refuse":
            return web.Response(status=429, text="slow down")
        if request.path == "/token":
            form = await request.post()
            if (form["client_id"], form["client_secret"]) != ("me", "secret"):
                return web.Response(status=401)
            return web.json_response({"access_token": f"{form['grant_type']} {form['audience']}"})
        if request.path == "/text":
            return web.Response(text="plain")
        told = {
            "method": request.method,
            "query": list(request.query.items()),
            "headers": dict(request.headers),
            "body": await request.text(),
        }
        return web.json_response(told)

    runner = web.ServerRunner(web.Server(tell))
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", unused_tcp_port).start()
    yield f"http://127.0.0.1:{unused_tcp_port}"
    await runner.cleanup()


async def invoke(integrations: Integrations, url: str, **parameters: Any) -> Any:
    return await ask(integrations, "http:invoke", {"ApiEndpoint": url, "Method": "GET", **parameters})


async def refused(integrations: Integrations, url: str, **parameters: Any) -> tuple[str | None, str | None]:
    with pytest.raises(StateError) as raised:
        await invoke(integrations, url, **parameters)
    return raised.value.error, raised.value.cause


async def test_what_is_sent_and_what_comes_back(integrations: Integrations, api: str):
    parameters = {
        "QueryParameters": {"id": 5, "tag": ["a", "b"]},
        "Headers": {"x-own": "1"},
        "RequestBody": {"x": [1, "ü"]},
    }
    found = await invoke(integrations, f"{api}/orders", Method="POST", **parameters)
    assert (found["StatusCode"], found["StatusText"]) == (200, "OK")
    assert found["Headers"]["content-type"] == ["application/json; charset=utf-8"]
    told = found["ResponseBody"]
    assert (told["method"], told["query"]) == ("POST", [["id", "5"], ["tag", "a"], ["tag", "b"]])
    assert json.loads(told["body"]) == {"x": [1, "ü"]}
    assert told["headers"]["x-own"] == "1"
    assert told["headers"]["User-Agent"] == "Amazon|StepFunctions|HttpInvoke|us-east-1"
    assert (await invoke(integrations, f"{api}/text"))["ResponseBody"] == "plain"


@pytest.mark.parametrize(
    ("arrays", "sent"),
    [
        (None, "a%5B0%5D=1&a%5B1%5D=2&o%5Bk%5D=v"),
        ("REPEAT", "a=1&a=2&o%5Bk%5D=v"),
        ("COMMAS", "a=1%2C2&o%5Bk%5D=v"),
        ("BRACKETS", "a%5B%5D=1&a%5B%5D=2&o%5Bk%5D=v"),
    ],
)
async def test_forms(integrations: Integrations, api: str, arrays: str | None, sent: str):
    options = {"RequestEncodingOptions": {"ArrayFormat": arrays}} if arrays else {}
    transform = {"RequestBodyEncoding": "URL_ENCODED", **options}
    body = {"a": [1, 2], "o": {"k": "v"}}
    found = await invoke(integrations, api, Method="POST", RequestBody=body, Transform=transform)
    assert found["ResponseBody"]["body"] == sent
    assert found["ResponseBody"]["headers"]["Content-Type"] == "application/x-www-form-urlencoded"


async def test_what_goes_wrong_has_a_name(integrations: Integrations, api: str, unused_tcp_port_factory: Any):
    assert await refused(integrations, f"{api}/refuse") == ("States.Http.StatusCode.429", "slow down")
    error, cause = await refused(integrations, f"http://127.0.0.1:{unused_tcp_port_factory()}")
    assert error == "States.Http.Socket"
    assert "Cannot connect" in str(cause)
    for parameters in ({"ApiEndpoint": "ftp://x"}, {"Method": "FETCH"}, {"Headers": [1]}):
        error, cause = await refused(integrations, api, **parameters)
        assert error == "States.Runtime"
        assert "could not be used to start the Task" in str(cause)


async def test_the_status_is_caught_by_its_name(account: Account, api: str):
    call = {
        "Type": "Task",
        "Resource": "arn:aws:states:::http:invoke",
        "Parameters": {"ApiEndpoint": f"{api}/refuse", "Method": "GET"},
        "Retry": [{"ErrorEquals": ["States.Http.StatusCode.503"]}],
        "Catch": [
            {"ErrorEquals": ["States.Http.StatusCode.500"], "Next": "Broken"},
            {"ErrorEquals": ["States.Http.StatusCode.429"], "Next": "Later"},
        ],
        "End": True,
    }
    ends = {"Broken": {"Type": "Fail"}, "Later": {"Type": "Succeed"}}
    found = await account.output({"StartAt": "Call", "States": {"Call": call, **ends}})
    assert found == {"Error": "States.Http.StatusCode.429", "Cause": "slow down"}


BASIC = {"BasicAuthParameters": {"Username": "me", "Password": "secret"}}
KEY = {"ApiKeyAuthParameters": {"ApiKeyName": "x-key", "ApiKeyValue": "secret"}}
ADDED = {
    "InvocationHttpParameters": {
        "HeaderParameters": [{"Key": "x-added", "Value": "1", "IsValueSecret": False}],
        "QueryStringParameters": [{"Key": "q", "Value": "2", "IsValueSecret": False}],
        "BodyParameters": [{"Key": "b", "Value": "3", "IsValueSecret": False}],
    }
}


async def connection(engine: LocalStepFunctions, kind: str, authorization: dict[str, Any]) -> dict[str, Any]:
    """A parameter that names a fresh connection."""
    async with connect(engine, "events") as events:
        made = await events.create_connection(
            Name=unique("connection"), AuthorizationType=kind, AuthParameters=authorization
        )
    return {"Authentication": {"ConnectionArn": made["ConnectionArn"]}}


def oauth(api: str, secret: str = "secret") -> dict[str, Any]:
    """How a connection gets its tokens."""
    audience = {"BodyParameters": [{"Key": "audience", "Value": "orders", "IsValueSecret": False}]}
    return {
        "OAuthParameters": {
            "ClientParameters": {"ClientID": "me", "ClientSecret": secret},
            "AuthorizationEndpoint": f"{api}/token",
            "HttpMethod": "POST",
            "OAuthHttpParameters": audience,
        }
    }


@pytest.mark.parametrize(
    ("kind", "authorization", "header"),
    [
        ("BASIC", BASIC, ("Authorization", f"Basic {base64.b64encode(b'me:secret').decode()}")),
        ("API_KEY", KEY | ADDED, ("x-key", "secret")),
    ],
)
async def test_connections(
    engine: LocalStepFunctions,
    integrations: Integrations,
    api: str,
    kind: str,
    authorization: dict[str, Any],
    header: tuple[str, str],
):
    config = await connection(engine, kind, authorization)
    told = (await invoke(integrations, api, Method="POST", RequestBody={"own": 1}, **config))["ResponseBody"]
    assert told["headers"][header[0]] == header[1]
    if kind == "API_KEY":
        assert told["headers"]["x-added"] == "1"
        assert told["query"] == [["q", "2"]]
        assert json.loads(told["body"]) == {"own": 1, "b": "3"}


async def test_a_connection_gets_a_token_for_the_credentials_of_its_client(
    engine: LocalStepFunctions, integrations: Integrations, api: str
):
    config = await connection(engine, "OAUTH_CLIENT_CREDENTIALS", oauth(api) | ADDED)
    told = (await invoke(integrations, api, **config))["ResponseBody"]
    assert told["headers"]["Authorization"] == "Bearer client_credentials orders"
    assert told["headers"]["x-added"] == "1"


@pytest.mark.parametrize("where", ["", "nowhere"])
async def test_a_connection_that_gets_no_token(
    engine: LocalStepFunctions, integrations: Integrations, api: str, where: str
):
    config = await connection(engine, "OAUTH_CLIENT_CREDENTIALS", oauth(f"{api}{where}", "wrong"))
    error, cause = await refused(integrations, api, **config)
    assert error == "Events.ConnectionResource.InvalidConnectionState"
    assert "is not authorized: " in str(cause)


@pytest.mark.parametrize("revealed", [False, True])
async def test_a_trial_shows_what_was_sent_and_answered(
    account: Account, engine: LocalStepFunctions, api: str, *, revealed: bool
):
    config = await connection(engine, "API_KEY", KEY | ADDED)
    parameters = {
        "ApiEndpoint": f"{api}/orders",
        "Method": "POST",
        "QueryParameters": {"id": 5},
        "RequestBody": {"own": 1},
        **config,
    }
    state = {"Type": "Task", "Resource": "arn:aws:states:::http:invoke", "Parameters": parameters, "End": True}
    options = {"inspectionLevel": "TRACE", "revealSecrets": revealed}
    tried = await account.client.test_state(definition=json.dumps(state), roleArn=ROLE, **options)
    request, response = tried["inspectionData"]["request"], tried["inspectionData"]["response"]
    assert (request["protocol"], request["method"]) == ("http", "POST")
    assert request["url"] == f"{api}/orders?id=5{'&q=2' if revealed else ''}"
    assert json.loads(request["body"]) == ({"own": 1, "b": "3"} if revealed else {"own": 1})
    assert ("x-key: secret" in request["headers"]) is revealed
    assert "Content-Type: application/json" in request["headers"]
    assert (response["statusCode"], response["statusMessage"], response["protocol"]) == ("200", "OK", "http")
    assert "content-type: application/json" in response["headers"]
    assert json.loads(response["body"])["method"] == "POST"
    assert json.loads(tried["inspectionData"]["result"])["StatusCode"] == 200


async def test_a_trial_shows_what_an_api_refused(account: Account, api: str):
    parameters = {"ApiEndpoint": f"{api}/refuse", "Method": "GET"}
    state = {"Type": "Task", "Resource": "arn:aws:states:::http:invoke", "Parameters": parameters, "End": True}
    for level in ("INFO", "DEBUG", "TRACE"):
        tried = await account.client.test_state(definition=json.dumps(state), roleArn=ROLE, inspectionLevel=level)
        assert (tried["status"], tried["error"]) == ("FAILED", "States.Http.StatusCode.429")
        assert ("inspectionData" in tried) == (level != "INFO")
        assert ("request" in tried.get("inspectionData", {})) == (level == "TRACE")
    assert tried["inspectionData"]["response"]["statusMessage"] == "Too Many Requests"


async def test_a_connection_that_there_is_not(integrations: Integrations, api: str):
    arn = "arn:aws:events:us-east-1:123456789012:connection/none/6d7f"
    error, cause = await refused(integrations, api, Authentication={"ConnectionArn": arn})
    assert error == "Events.ConnectionResource.NotFound"
    assert arn in str(cause)
