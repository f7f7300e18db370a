"""The stock client against a real server: what it sends, and what every answer becomes."""

import asyncio
import functools
from collections.abc import Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiobotocore.session import AioSession, get_session

from tests.ids import shown
from tests.stepfunctions.stub import Answer, Broken, Request, Stub, always, answer, serving
from workers.stepfunctions import client as module
from workers.stepfunctions.client import BotocoreClient, open_client
from workers.stepfunctions.connection import Connection
from workers.stepfunctions.protocol import (
    ActivityMissingError,
    ActivityTask,
    DeniedError,
    RefusedError,
    ServiceError,
    TaskClosedError,
    ThrottledError,
    TransientError,
)
from workers.version import __version__

ARN = "arn:aws:states:eu-central-1:123456789012:activity:add"

Call = Callable[[BotocoreClient], Awaitable[Any]]


@asynccontextmanager
async def talking(say: Answer):
    """A client and the stub it talks to."""
    async with serving(say) as stub, open_client(connection(stub.url), polls=2, reports=2) as client:
        yield client, stub


def connection(url: str) -> Connection:
    return Connection(a_session(), url)


@functools.cache
def a_session() -> AioSession:
    """One for all tests, because the first client of a session loads the models from files."""
    session = get_session()
    session.set_credentials("key", "secret")
    session.set_config_variable("region", "eu-central-1")
    return session


def only(stub: Stub) -> Request:
    (request,) = stub.requests
    return request


async def error_of(say: Answer, call: Call | None = None) -> ServiceError:
    """What `call`, or else a heartbeat, raises when the server answers with `say`; it must be asked only once."""
    async with talking(say) as (client, stub):
        with pytest.raises(ServiceError) as caught:
            await (call(client) if call else client.send_task_heartbeat("token"))
        assert len(stub.requests) == 1
    assert caught.value.__cause__
    return caught.value


# --- what is sent, and what a good answer becomes


async def test_a_poll_brings_token_and_input():
    task = {"taskToken": "AAAA", "input": '{"x": "ü"}'}
    async with talking(always(answer(task))) as (client, stub):
        assert await client.get_activity_task(ARN, "host-1") == ActivityTask("AAAA", '{"x": "ü"}')
    assert only(stub).operation == "GetActivityTask"
    assert only(stub).parameters == {"activityArn": ARN, "workerName": "host-1"}
    assert only(stub).headers["user-agent"].startswith(f"sfn-workers/{__version__}")


@pytest.mark.parametrize(
    "body", [{}, {"taskToken": None, "input": None}, {"taskToken": ""}, {"input": "{}"}], ids=shown
)
async def test_a_poll_that_brings_nothing_is_none(body: Any):
    async with talking(always(answer(body))) as (client, _):
        assert await client.get_activity_task(ARN, "host-1") is None


@pytest.mark.parametrize(
    ("call", "operation", "parameters"),
    [
        (
            lambda client: client.send_task_success("AAAA", '{"ü":1}'),
            "SendTaskSuccess",
            {"taskToken": "AAAA", "output": '{"ü":1}'},
        ),
        (
            lambda client: client.send_task_failure("AAAA", "Name", "Why"),
            "SendTaskFailure",
            {"taskToken": "AAAA", "error": "Name", "cause": "Why"},
        ),
        (lambda client: client.send_task_heartbeat("AAAA"), "SendTaskHeartbeat", {"taskToken": "AAAA"}),
        (lambda client: client.create_activity("add"), "CreateActivity", {"name": "add"}),
    ],
    ids=["success", "failure", "heartbeat", "create"],
)
async def test_the_other_calls_say_what_they_were_given(call: Call, operation: str, parameters: Any):
    async with talking(always(answer({}))) as (client, stub):
        assert await call(client) is None
    assert (only(stub).operation, only(stub).parameters) == (operation, parameters)


async def test_polls_that_hang_keep_no_report_waiting():
    polled = asyncio.Event()

    async def say(request: Request) -> bytes:
        if request.operation == "GetActivityTask":
            polled.set()
            await asyncio.Event().wait()
        return answer({})

    async with talking(say) as (client, _):
        polls = [asyncio.ensure_future(client.get_activity_task(ARN, "host-1")) for _ in range(4)]
        await polled.wait()
        await asyncio.gather(*(client.send_task_heartbeat(f"token-{number}") for number in range(8)))
        for poll in polls:
            poll.cancel()
        await asyncio.gather(*polls, return_exceptions=True)


# --- what AWS says when it refuses, in each of the forms in which it says it


def in_body(code: str) -> bytes:
    return answer({"__type": code, "message": "why"}, 400, x_amzn_RequestId="request-1")


def in_body_with_namespace(code: str) -> bytes:
    return answer({"__type": f"com.amazonaws.swf.service.v2.model#{code}", "Message": "why"}, 400)


@pytest.mark.parametrize("form", [in_body, in_body_with_namespace])
@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("TaskTimedOut", TaskClosedError),
        ("ActivityDoesNotExist", ActivityMissingError),
        ("ActivityWorkerLimitExceeded", ThrottledError),
        ("ExpiredTokenException", DeniedError),
        ("InvalidOutput", RefusedError),
    ],
)
async def test_every_form_of_error_is_understood(form: Callable[[str], bytes], code: str, kind: type[ServiceError]):
    error = await error_of(always(form(code)))
    assert type(error) is kind
    assert (error.operation, error.code, str(error)) == ("SendTaskHeartbeat", code, f"SendTaskHeartbeat: {code}: why")


async def test_the_id_of_the_request_is_kept_for_the_logs():
    assert (await error_of(always(in_body("InvalidOutput")))).request_id == "request-1"


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        (answer(b"", 500), TransientError),
        (answer(b"<html>Bad Gateway</html>", 502), TransientError),
        (answer({"__type": "ServiceUnavailable"}, 503), TransientError),
        (answer(b"slow down", 429), ThrottledError),
        (answer(b"<html>Forbidden</html>", 403), DeniedError),
        (answer(b"", 401), DeniedError),
        (answer(b"<html>Not Found</html>", 404), TransientError),
        (answer(b"<html>Payload Too Large</html>", 413), RefusedError),
        (answer(b"<html>Moved</html>", 302), TransientError),
    ],
    ids=lambda said: said.splitlines()[0].decode() if isinstance(said, bytes) else None,
)
async def test_answers_of_things_between_us_and_aws(said: bytes, kind: type[ServiceError]):
    error = await error_of(always(said))
    assert type(error) is kind


# --- what the network does


BROKEN = {
    "reset": Broken(),
    "closed": Broken(b"HTTP/1.1 200 OK\r\n"),
    "cut in the head": Broken(answer({})[:40]),
    "cut in the body": Broken(answer({"taskToken": "AAAA"})[:-5]),
    "not HTTP": Broken(b"\x16\x03\x01\r\n\r\n"),
}


@pytest.mark.parametrize("said", BROKEN.values(), ids=BROKEN)
async def test_a_connection_that_breaks_is_transient(said: Broken):
    assert type(await error_of(always(said))) is TransientError
    assert type(await error_of(always(said), lambda client: client.get_activity_task(ARN, "host-1"))) is TransientError


@pytest.mark.parametrize("body", [b"[]", b'"text"', b"5", b"\xff"])
async def test_a_good_answer_that_botocore_cannot_read_is_transient(body: bytes):
    error = await error_of(always(answer(body)), lambda client: client.get_activity_task(ARN, "host-1"))
    assert type(error) is TransientError


@pytest.mark.parametrize("limit", ["POLL_READ_TIMEOUT", "REPORT_READ_TIMEOUT"])
async def test_silence_is_transient(monkeypatch: pytest.MonkeyPatch, limit: str):
    monkeypatch.setattr(module, limit, 0.1)

    async def silence(_: Request) -> bytes:
        await asyncio.Event().wait()
        raise AssertionError

    def poll(client: BotocoreClient) -> Awaitable[Any]:
        return client.get_activity_task(ARN, "host-1")

    error = await error_of(silence, poll if limit == "POLL_READ_TIMEOUT" else None)
    assert (type(error), error.code) == (TransientError, "ReadTimeoutError")


async def test_nothing_listening_is_transient():
    async with serving(always(answer())) as stub:
        pass
    async with open_client(connection(stub.url), polls=1, reports=1) as client:
        with pytest.raises(TransientError, match="EndpointConnectionError"):
            await client.send_task_heartbeat("token")


async def test_without_credentials_it_is_denied(monkeypatch: pytest.MonkeyPatch):
    session = get_session()
    session.set_config_variable("region", "eu-central-1")
    async with serving(always(answer())) as stub:
        async with open_client(Connection(session, stub.url), polls=1, reports=1) as client:
            with pytest.raises(DeniedError, match="NoCredentialsError"):
                await client.send_task_heartbeat("token")
        assert stub.requests == []
