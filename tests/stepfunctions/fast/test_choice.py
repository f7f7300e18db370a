"""Which client is chosen: what the session of the AWS SDK asks for that the fast one does not do."""

import ssl
from typing import Any

import pytest
from aiobotocore.config import AioConfig
from aiobotocore.session import AioSession, get_session

from tests.stepfunctions.fast.server import answer, serving
from tests.stepfunctions.fast.test_client import a_session, client_of
from workers.errors import UsageError
from workers.stepfunctions.connection import Connection
from workers.stepfunctions.fast.choice import AutoClient, open_stepfunctions
from workers.stepfunctions.fast.client import FastClient

HTTPS, HTTP = "https://states.example", "http://states.example"


async def choice(session: AioSession, url: str | None = None) -> str:
    """The name of the client that is chosen; why it is not the fast one, where that is asked for."""
    async with open_stepfunctions(Connection(session, url), "auto", polls=1, reports=1) as client:
        chosen = type(client).__name__
    if chosen == "AutoClient":
        return chosen
    with pytest.raises(UsageError, match="--client fast cannot be used: ") as refused:
        async with open_stepfunctions(Connection(session, url), "fast", polls=1, reports=1):
            pass
    return str(refused.value)


def configured(**config: Any) -> AioSession:
    session = a_session()
    session.set_default_client_config(AioConfig(**config))
    return session


@pytest.mark.parametrize(
    ("config", "why"),
    [
        ({"signature_version": "v4a"}, "requests are signed with v4a"),
        ({"client_cert": "/a/certificate.pem"}, "a client certificate is configured"),
        ({"client_cert": ("/a/certificate.pem", "/a/key.pem")}, "a client certificate is configured"),
        ({"proxies": {"https": "http://proxy.example:3128"}}, "a proxy is configured"),
        ({"proxies": {"http": "http://proxy.example:3128"}}, "AutoClient"),
        ({"signature_version": "v4", "read_timeout": 90}, "AutoClient"),
    ],
    ids=["signer", "certificate", "certificate and key", "proxy", "proxy for another scheme", "nothing unusual"],
)
async def test_what_the_sessions_configuration_asks_for_is_left_to_the_stock_client(
    config: dict[str, Any], why: str
) -> None:
    assert why in await choice(configured(**config))


@pytest.mark.parametrize(
    ("variables", "endpoint", "why"),
    [
        ({"HTTPS_PROXY": "http://127.0.0.1:9"}, HTTPS, "a proxy is configured"),
        ({"https_proxy": "http://127.0.0.1:9"}, HTTPS, "a proxy is configured"),
        ({"HTTP_PROXY": "http://127.0.0.1:9"}, HTTP, "a proxy is configured"),
        ({"HTTP_PROXY": "http://127.0.0.1:9"}, HTTPS, "AutoClient"),
        ({"HTTPS_PROXY": "http://127.0.0.1:9", "NO_PROXY": ".example"}, HTTPS, "AutoClient"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, dict) else None,
)
async def test_a_proxy_of_the_environment_is_left_to_the_stock_client(
    variables: dict[str, str], endpoint: str, why: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {**variables, "AWS_ENDPOINT_URL_SFN": endpoint}.items():
        monkeypatch.setenv(name, value)
    assert why in await choice(a_session())


async def test_a_session_that_turns_proxies_off_needs_no_stock_client(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    assert await choice(configured(proxies={})) == "AutoClient"


async def test_without_credentials_the_stock_client_says_so() -> None:
    session = get_session()
    session.set_config_variable("region", "us-east-1")
    assert "there are no credentials" in await choice(session)


@pytest.mark.parametrize(
    "url",
    [
        f"{HTTPS}/with a space",
        f"{HTTPS}/größe",
        f"{HTTPS}/路",
        f"{HTTPS}/?a=b",
        "https://user:secret@states.example/",
    ],
)
async def test_an_endpoint_that_must_be_rewritten_is_left_to_the_stock_client(url: str) -> None:
    assert f"the endpoint {url} is not only a host, a port and a path" in await choice(a_session(), url)


@pytest.mark.parametrize(
    "path", ["", "/", "/base", "/base/", "/a%20b", "/a/../b", "//a", "/a:b~c,d;e=f+(g)*'", "/a[b]"]
)
async def test_a_path_is_sent_as_the_stock_client_sends_it(path: str) -> None:
    lines = []
    for name in ("fast", "botocore"):
        async with serving(answer()) as served:
            connection = Connection(a_session(), f"http://127.0.0.1:{served.port}{path}")
            async with open_stepfunctions(connection, name, polls=1, reports=1) as client:  # type: ignore[arg-type]
                await client.send_task_heartbeat("token")
        lines.append(served.requests[0].head.partition(b"\r\n")[0])
    assert lines[0] == lines[1]


async def test_tls_is_verified() -> None:
    connection = Connection(a_session())
    async with open_stepfunctions(connection, "auto", polls=1, reports=1) as client:
        assert isinstance(client, AutoClient)
        assert isinstance(client._hot, FastClient)
        endpoint = client._hot._polls._endpoint
        assert endpoint.host == "states.us-east-1.amazonaws.com"
        assert endpoint.tls is not None
        assert endpoint.tls.verify_mode is ssl.CERT_REQUIRED
        assert endpoint.tls.check_hostname


async def test_the_stock_client_where_it_is_asked_for() -> None:
    async with serving(answer()) as served, client_of(served, "botocore") as client:
        assert not isinstance(client, AutoClient)
