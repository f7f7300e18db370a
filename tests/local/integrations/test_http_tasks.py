"""HTTP tasks, against an API on this machine."""

import base64
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import web

from tests.account import Account, unique
from tests.local.helpers import connect
from tests.local.integrations.conftest import ask
from workers.local import LocalStepFunctions
from workers.local.integrations.integrations import Integrations
from workers.local.values.errors import StateError


@pytest.fixture
async def api(unused_tcp_port: int) -> AsyncIterator[str]:
    """An API that tells what it was asked; /refuse refuses."""

    async def tell(request: web.Request) -> web.Response:
        if request.path == "/refuse":
            return web.Response(status=429, text="slow down")
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
    async with connect(engine, "events") as events:
        made = await events.create_connection(
            Name=unique("connection"), AuthorizationType=kind, AuthParameters=authorization
        )
    config = {"Authentication": {"ConnectionArn": made["ConnectionArn"]}}
    told = (await invoke(integrations, api, Method="POST", RequestBody={"own": 1}, **config))["ResponseBody"]
    assert told["headers"][header[0]] == header[1]
    if kind == "API_KEY":
        assert told["headers"]["x-added"] == "1"
        assert told["query"] == [["q", "2"]]
        assert json.loads(told["body"]) == {"own": 1, "b": "3"}


async def test_a_connection_that_there_is_not(integrations: Integrations, api: str):
    arn = "arn:aws:events:us-east-1:123456789012:connection/none/6d7f"
    error, cause = await refused(integrations, api, Authentication={"ConnectionArn": arn})
    assert error == "Events.ConnectionResource.NotFound"
    assert arn in str(cause)
