"""Which AWS a worker talks to: found once, or refused in one line."""

import asyncio
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from aiobotocore.session import get_session

from tests.processes import workers
from tests.stepfunctions.stub import Answer, Broken, Request, Said, always, answer, serving
from workers.arns import Place
from workers.errors import ExitCode, UsageError
from workers.settings import Settings
from workers.stepfunctions.client import open_client
from workers.stepfunctions.connection import Connection, connect, find_place
from workers.stepfunctions.protocol import ServiceError, TransientError

ACCOUNT = "210987654321"
IDENTITY = f"""<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">
<GetCallerIdentityResult><Account>{ACCOUNT}</Account></GetCallerIdentityResult></GetCallerIdentityResponse>""".encode()


def denial(code: str, status: int = 403) -> bytes:
    error = f"<ErrorResponse><Error><Code>{code}</Code><Message>sign in again</Message></Error></ErrorResponse>"
    return answer(error.encode(), status)


@pytest.fixture
def signed_in(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "key")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.setenv("AWS_REGION", "eu-central-1")


async def place(**values: Any) -> Place:
    settings = Settings(**values)
    return await find_place(await connect(settings), settings)


async def refusal(**values: Any) -> str:
    with pytest.raises(UsageError) as caught:
        await place(**values)
    assert "\n" not in str(caught.value)
    return str(caught.value)


# --- region, credentials, account


async def test_without_a_region_it_says_how_to_give_one():
    assert await refusal() == (
        "no AWS region is set: export AWS_REGION, give your profile a region, or use --local "
        "for the embedded Step Functions"
    )


async def test_without_credentials_it_says_how_to_sign_in(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("AWS_REGION", "eu-central-1")
    assert await refusal() == (
        "no AWS credentials were found: sign in, export AWS_PROFILE, or use --local for the embedded Step Functions"
    )


@pytest.mark.parametrize("variable", ["AWS_REGION", "AWS_DEFAULT_REGION"])
async def test_the_region_is_that_of_either_variable(monkeypatch: pytest.MonkeyPatch, signed_in: None, variable: str):
    monkeypatch.delenv("AWS_REGION")
    monkeypatch.setenv(variable, "us-west-2")
    assert await place(account=ACCOUNT) == Place("aws", "us-west-2", ACCOUNT)


async def test_the_region_and_the_credentials_are_those_of_the_profile(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    config = tmp_path / "config"
    config.write_text("[profile work]\nregion = cn-north-1\naws_access_key_id = key\naws_secret_access_key = secret\n")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(config))
    monkeypatch.setenv("AWS_PROFILE", "work")
    assert await place(account=ACCOUNT) == Place("aws-cn", "cn-north-1", ACCOUNT)


async def test_a_session_that_is_given_is_used():
    session = get_session()
    session.set_config_variable("region", "us-gov-west-1")
    session.set_credentials("key", "secret")
    settings = Settings(account=ACCOUNT)
    connection = await connect(settings, session)
    assert connection.session is session
    assert await find_place(connection, settings) == Place("aws-us-gov", "us-gov-west-1", ACCOUNT)


@pytest.mark.parametrize(
    ("variables", "message"),
    [
        ({"AWS_PROFILE": "nobody"}, "The config profile (nobody) could not be found"),
        ({"AWS_REGION": "moon base 1"}, "moon base 1"),
        ({"AWS_REGION": "nowhere"}, "nowhere"),
        ({"AWS_SECRET_ACCESS_KEY": ""}, "Partial credentials found in env, missing: AWS_SECRET_ACCESS_KEY"),
        ({"AWS_ENDPOINT_URL": "localhost:8083"}, "Invalid endpoint: localhost:8083"),
        ({"AWS_CONFIG_FILE": "{broken}"}, "Unable to parse config file"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, dict) else None,
)
async def test_an_sdk_that_is_set_up_wrongly_is_said_in_one_line(
    monkeypatch: pytest.MonkeyPatch, signed_in: None, tmp_path: Path, variables: dict[str, str], message: str
):
    (tmp_path / "config").write_text("this is no [ini file")
    for name, value in variables.items():
        monkeypatch.setenv(name, value.replace("{broken}", str(tmp_path / "config")))
    found = await refusal()
    assert found.startswith("the AWS configuration cannot be used: ")
    assert message in found


async def test_an_endpoint_that_is_none_is_said_when_the_client_opens(monkeypatch: pytest.MonkeyPatch, signed_in: None):
    monkeypatch.setenv("AWS_ENDPOINT_URL_SFN", "localhost:8083")
    connection = await connect(Settings())
    with pytest.raises(UsageError, match="the AWS configuration cannot be used: Invalid endpoint: localhost:8083"):
        async with open_client(connection, polls=1, reports=1):
            pass


# --- the CA bundle


@pytest.fixture(params=["missing", "empty", "garbage", "folder"])
def broken_bundle(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A file that vouches for nobody."""
    bundle = tmp_path / "bundle.pem"
    if request.param == "folder":
        bundle.mkdir()
    elif request.param != "missing":
        bundle.write_bytes(b"" if request.param == "empty" else b"no certificate")
    return bundle


@pytest.mark.parametrize("variable", ["AWS_CA_BUNDLE", "REQUESTS_CA_BUNDLE"])
async def test_a_broken_ca_bundle_is_said_before_aws_is_asked(
    monkeypatch: pytest.MonkeyPatch, sts: Any, broken_bundle: Path, variable: str
):
    monkeypatch.setenv(variable, str(broken_bundle))
    async with sts(always(answer(IDENTITY))) as stub:
        found = await refusal()
    assert found.startswith(f"the CA bundle {broken_bundle} cannot be used: ")
    assert found.endswith(
        "AWS_CA_BUNDLE, ca_bundle in the profile or else REQUESTS_CA_BUNDLE must name a file of "
        "certificates in PEM form"
    )
    assert not stub.requests


async def test_an_empty_ca_bundle_is_said_too(monkeypatch: pytest.MonkeyPatch, signed_in: None):
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", " ")
    assert "the CA bundle   cannot be used" in await refusal()
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "")
    assert "Invalid CA bundle" in await refusal()


async def test_the_order_of_ca_bundles_is_botocores(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    def named() -> str | None:
        return Connection(get_session()).certificates

    assert named() is None
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/of/requests")
    assert named() == "/of/requests"
    (tmp_path / "config").write_text("[default]\nca_bundle = /of/the/profile\n")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    assert named() == "/of/the/profile"
    monkeypatch.setenv("AWS_CA_BUNDLE", "/of/aws")
    assert named() == "/of/aws"


async def test_the_embedded_step_functions_needs_no_certificates(monkeypatch: pytest.MonkeyPatch, broken_bundle: Path):
    monkeypatch.setenv("AWS_CA_BUNDLE", str(broken_bundle))
    async with serving(always(answer())) as stub:
        connection = await connect(Settings(local=True, local_port=int(stub.url.rpartition(":")[2])))
        async with open_client(connection, polls=1, reports=1) as client:
            await client.send_task_heartbeat("token")
    assert stub.requests[-1].operation == "SendTaskHeartbeat"


async def test_workers_run_ends_for_a_broken_ca_bundle(tmp_path: Path):
    (tmp_path / "bundled.py").write_text(
        "from workers import Registry\n\nregistry = Registry()\nregistry.add('f', lambda event, /: event)\n"
    )
    bundle = tmp_path / "bundle.pem"
    environment = {"AWS_CA_BUNDLE": str(bundle), "AWS_REGION": "eu-central-1", "PYTHONPATH": str(tmp_path)}
    keys = dict.fromkeys(("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"), "x")
    async with workers("run", "bundled:registry", environment=environment | keys) as process:
        assert await process.ends() == ExitCode.USAGE
    assert [line["event"] for line in process.said if f"the CA bundle {bundle} cannot be used" in line["event"]]
    assert "Traceback" not in process.log()


# --- the account, asked of STS


@pytest.fixture
def sts(monkeypatch: pytest.MonkeyPatch, signed_in: None):
    """Serves what is said as STS."""

    @asynccontextmanager
    async def serve(say: Answer):
        async with serving(say) as stub:
            monkeypatch.setenv("AWS_ENDPOINT_URL_STS", stub.url)
            yield stub

    return serve


async def test_the_account_is_asked_of_sts_once(sts: Any):
    async with sts(always(answer(IDENTITY))) as stub:
        assert await place() == Place("aws", "eu-central-1", ACCOUNT)
    assert [request.body for request in stub.requests] == [b"Action=GetCallerIdentity&Version=2011-06-15"]


async def test_an_account_that_is_set_is_not_asked_for(sts: Any):
    async with sts(always(answer(IDENTITY))) as stub:
        assert (await place(account="000000000001")).account == "000000000001"
    assert stub.requests == []


@pytest.mark.parametrize("code", ["ExpiredToken", "InvalidClientTokenId", "SignatureDoesNotMatch", "RegionDisabled"])
async def test_credentials_that_aws_does_not_accept(sts: Any, code: str):
    async with sts(always(denial(code))):
        assert await refusal() == (f"AWS does not accept the credentials: GetCallerIdentity: {code}: sign in again")


async def test_while_sts_cannot_be_reached_it_is_asked_again_and_that_is_said(sts: Any):
    answers: list[Said] = [Broken(), answer(b"", 503), answer(IDENTITY)]

    async def say(_: Request) -> Said:
        return answers.pop(0)

    said: list[ServiceError] = []
    async with sts(say):
        settings = Settings()
        found = await find_place(await connect(settings), settings, waiting=said.append)
    assert found.account == ACCOUNT
    assert [type(error) for error in said] == [TransientError, TransientError]
    assert str(said[0]).startswith("GetCallerIdentity: ")


async def test_waiting_for_sts_can_be_cancelled(sts: Any):
    settings = Settings()
    waiting = asyncio.Event()
    async with sts(always(Broken())):
        search = asyncio.ensure_future(find_place(await connect(settings), settings, waiting=lambda _: waiting.set()))
        await waiting.wait()
        search.cancel()
        with pytest.raises(asyncio.CancelledError):
            await search


# --- the embedded Step Functions


async def test_local_needs_neither_region_nor_credentials_nor_sts():
    async with serving(always(answer())) as stub:
        settings = Settings(local=True, local_port=int(stub.url.rpartition(":")[2]))
        connection = await connect(settings)
        assert connection.endpoint_url == stub.url
        assert await find_place(connection, settings) == Place("aws", "us-east-1", "123456789012")
        async with open_client(connection, polls=1, reports=1) as client:
            await client.send_task_heartbeat("token")
    assert stub.requests[-1].operation == "SendTaskHeartbeat"


async def test_local_calls_go_past_a_proxy(monkeypatch: pytest.MonkeyPatch):
    async with serving(always(answer())) as proxy, serving(always(answer())) as stub:
        monkeypatch.setenv("HTTP_PROXY", proxy.url)
        monkeypatch.setenv("http_proxy", proxy.url)
        connection = await connect(Settings(local=True, local_port=int(stub.url.rpartition(":")[2])))
        async with open_client(connection, polls=1, reports=1) as client:
            await client.send_task_heartbeat("token")
    assert (len(stub.requests), len(proxy.requests)) == (1, 0)


async def test_local_takes_the_region_of_the_engine_whatever_is_set(signed_in: None):
    async with serving(always(answer())) as stub:
        found = await place(local=True, local_port=int(stub.url.rpartition(":")[2]), account=ACCOUNT)
    assert found == Place("aws", "us-east-1", "123456789012")


async def test_local_with_nothing_there_says_what_to_start():
    async with serving(always(answer())) as stub:
        port = int(stub.url.rpartition(":")[2])
    with pytest.raises(UsageError) as caught:
        await connect(Settings(local=True, local_port=port))
    assert str(caught.value) == (
        f"no embedded Step Functions answers at http://127.0.0.1:{port}: start `workers local --port {port}` first"
    )


def test_the_default_port_needs_no_flag_in_that_advice(monkeypatch: pytest.MonkeyPatch):
    import workers.stepfunctions.connection as module

    monkeypatch.setattr(module, "LOCAL_PORT", 1)  # nothing listens there, and only root may
    with pytest.raises(UsageError, match="start `workers local` first"):
        asyncio.run(connect(Settings(local=True, local_port=1)))


async def test_other_services_are_reached_at_the_same_endpoint():
    connection = Connection(get_session(), "http://127.0.0.1:1")
    connection.session.set_credentials("key", "secret")
    connection.session.set_config_variable("region", "us-east-1")
    async with connection.client("sqs") as sqs:
        assert sqs.meta.endpoint_url == "http://127.0.0.1:1"
