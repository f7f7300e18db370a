"""The fast client against servers that answer as AWS does, and as it does not."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest
from aiobotocore.credentials import AioRefreshableCredentials
from aiobotocore.session import AioSession, get_session
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.loaders import create_loader

from tests.stepfunctions.fast.server import Request, Served, answer, serving
from workers.stepfunctions.connection import Connection
from workers.stepfunctions.fast.choice import AutoClient, open_stepfunctions
from workers.stepfunctions.fast.client import FastClient
from workers.stepfunctions.protocol import (
    ActivityMissingError,
    ActivityTask,
    DeniedError,
    RefusedError,
    StepFunctions,
    TaskClosedError,
    ThrottledError,
    TransientError,
)

ARN = "arn:aws:states:us-east-1:123456789012:activity:work"
TASK = answer(json.dumps({"taskToken": "token", "input": '{"x":1}'}).encode())


_LOADER = create_loader()
"""Shared, because each session reads the descriptions of services anew."""


def a_session(**variables: Any) -> AioSession:
    session = get_session()
    session.register_component("data_loader", _LOADER)
    session.set_config_variable("region", "us-east-1")
    session.set_credentials("key", "secret", variables.pop("token", None))
    return session


@asynccontextmanager
async def client_of(served: Served, name: str = "fast", **variables: Any) -> AsyncIterator[StepFunctions]:
    connection = Connection(a_session(**variables), f"http://127.0.0.1:{served.port}")
    async with open_stepfunctions(connection, name, polls=2, reports=2) as client:  # type: ignore[arg-type]
        yield client


async def test_the_four_calls() -> None:
    async with serving(TASK, answer(), answer(), answer(), answer()) as served, client_of(served) as client:
        assert isinstance(client, AutoClient)
        assert await client.get_activity_task(ARN, "me") == ActivityTask("token", '{"x":1}')
        await client.send_task_success("token", '"é"')
        await client.send_task_failure("token", "Name", "cause")
        await client.send_task_heartbeat("token")
        assert await client.get_activity_task(ARN, "me") is None
    assert [json.loads(request.body) for request in served.requests] == [
        {"activityArn": ARN, "workerName": "me"},
        {"taskToken": "token", "output": '"é"'},
        {"taskToken": "token", "error": "Name", "cause": "cause"},
        {"taskToken": "token"},
        {"activityArn": ARN, "workerName": "me"},
    ]


@pytest.mark.parametrize("token", [None, "session-token"])
async def test_a_server_that_verifies_signatures_accepts_them_and_rejects_an_altered_one(token: str | None) -> None:
    verdicts: list[bool] = []

    async def verify(request: Request, writer: Any) -> None:
        verdicts.append(verified(request, served.port, token))
        request.body += b" "
        verdicts.append(verified(request, served.port, token))
        writer.write(answer())

    async with serving(verify) as served, client_of(served, token=token) as client:
        await client.send_task_heartbeat("token")
    assert verdicts == [True, False]


def verified(request: Request, port: int, token: str | None, *, key: str = "key", secret: str = "secret") -> bool:
    given = request.headers
    names = given["authorization"].partition("SignedHeaders=")[2].partition(",")[0].split(";")
    signed = {name: given[name] for name in names if name not in {"host", "x-amz-date", "x-amz-security-token"}}
    copy = AWSRequest("POST", f"http://127.0.0.1:{port}/", headers=signed, data=request.body)
    copy.context["timestamp"] = given["x-amz-date"]
    auth = SigV4Auth(Credentials(key, secret, token), "states", "us-east-1")
    copy.headers["X-Amz-Date"] = given["x-amz-date"]
    if token:
        copy.headers["X-Amz-Security-Token"] = token
    signature = auth.signature(auth.string_to_sign(copy, auth.canonical_request(copy)), copy)
    return given["authorization"].endswith(f"Signature={signature}")


async def test_credentials_that_expire_between_two_calls_are_refreshed() -> None:
    clock = datetime.now(UTC)

    async def refresh() -> dict[str, str]:
        expiry = (clock + timedelta(hours=1)).isoformat()
        return {"access_key": "second", "secret_key": "s2", "token": "token-2", "expiry_time": expiry}

    credentials = AioRefreshableCredentials(
        "first", "s1", "token-1", clock + timedelta(hours=1), refresh, "assume-role", time_fetcher=lambda: clock
    )
    session = a_session()
    session._credentials = credentials
    async with serving(answer()) as served:
        connection = Connection(session, f"http://127.0.0.1:{served.port}")
        async with open_stepfunctions(connection, "fast", polls=1, reports=1) as client:
            await client.send_task_heartbeat("token")
            clock += timedelta(hours=2)
            await client.send_task_heartbeat("token")
    keys = [
        request.headers["authorization"].partition("Credential=")[2].partition("/")[0] for request in served.requests
    ]
    assert keys == ["first", "second"]
    assert [request.headers["x-amz-security-token"] for request in served.requests] == ["token-1", "token-2"]
    assert verified(served.requests[1], served.port, "token-2", key="second", secret="s2")


@pytest.mark.parametrize(
    ("code", "status", "error"),
    [
        ("TaskTimedOut", "400 Bad", TaskClosedError),
        ("InvalidToken", "400 Bad", TaskClosedError),
        ("ActivityDoesNotExist", "400 Bad", ActivityMissingError),
        ("ThrottlingException", "400 Bad", ThrottledError),
        ("AccessDeniedException", "400 Bad", DeniedError),
        ("ValidationException", "400 Bad", RefusedError),
        ("InternalFailure", "500 Bad", TransientError),
    ],
)
@pytest.mark.parametrize("form", ["body", "header"])
async def test_both_forms_of_errors(code: str, status: str, error: type[Exception], form: str) -> None:
    if form == "body":
        body = json.dumps({"__type": f"com.amazonaws.swf#{code}", "message": "why"}).encode()
        bad = answer(body, status=status, headers="x-amzn-requestid: abc\r\n")
    else:
        headers = f"X-Amzn-ErrorType: {code}:http://internal/\r\nx-amzn-requestid: abc\r\n"
        bad = answer(b'{"Message": "why"}', status=status, headers=headers)
    async with serving(bad) as served, client_of(served) as client:
        with pytest.raises(error, match=f"{code}: why") as raised:
            await client.send_task_heartbeat("token")
    assert raised.value.request_id == "abc"  # type: ignore[attr-defined]


@pytest.mark.parametrize("status", ["200 OK", "400 Bad"])
async def test_an_answer_nested_beyond_reason_is_a_fault_that_may_pass(status: str) -> None:
    async with serving(answer(b"[" * 200_000, status=status)) as served, client_of(served) as client:
        with pytest.raises(TransientError):
            await client.send_task_heartbeat("token")


async def test_a_task_with_half_of_a_surrogate_pair_is_not_lost() -> None:
    polled = answer(rb'{"taskToken": "token", "input": "\"\ud800\""}')
    async with serving(polled) as served, client_of(served) as client:
        assert await client.get_activity_task(ARN, "me") == ActivityTask("token", '"\ud800"')


async def test_a_skewed_clock_is_corrected_once() -> None:
    theirs = datetime.now(UTC) + timedelta(hours=3)
    skewed = answer(
        json.dumps({"__type": "InvalidSignatureException", "message": "Signature expired"}).encode(),
        status="400 Bad",
        headers=f"date: {format_datetime(theirs, usegmt=True)}\r\n",
    )
    async with serving(skewed, answer(), answer()) as served, client_of(served) as client:
        await client.send_task_heartbeat("token")
        await client.send_task_heartbeat("token")
    stamps = [
        datetime.strptime(request.headers["x-amz-date"], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
        for request in served.requests
    ]
    assert [abs(stamp - theirs) < timedelta(minutes=1) for stamp in stamps] == [False, True, True]


async def test_calls_open_at_the_same_time_are_all_sent_again_with_the_corrected_clock() -> None:
    theirs = datetime.now(UTC) + timedelta(hours=3)
    arrived = asyncio.Barrier(2)

    async def check(request: Request, writer: asyncio.StreamWriter) -> None:
        stamp = datetime.strptime(request.headers["x-amz-date"], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
        if abs(stamp - theirs) < timedelta(minutes=5):
            writer.write(answer())
            return
        await arrived.wait()  # both are signed with the old clock before either is refused
        refusal = b'{"__type": "InvalidSignatureException", "message": "Signature expired"}'
        date = f"date: {format_datetime(theirs, usegmt=True)}\r\n"
        writer.write(answer(refusal, status="400 Bad", headers=date))

    async with serving(check) as served, client_of(served, "auto") as client:
        await asyncio.gather(client.send_task_heartbeat("one"), client.send_task_heartbeat("two"))
        assert isinstance(client, AutoClient)
        assert isinstance(client._hot, FastClient)
    assert len(served.requests) == 4


async def test_a_report_is_sent_once_a_call_also_on_a_connection_used_before() -> None:
    async with serving(answer(), b"", answer()) as served, client_of(served) as client:
        await client.send_task_success("first", "1")
        with pytest.raises(TransientError):  # it may have been accepted: only who sends it again can know
            await client.send_task_success("second", "2")
    assert len(served.requests) == 2


async def test_lost_connections_and_refused_ones_are_transient() -> None:
    async with serving(b"") as served, client_of(served) as client:
        with pytest.raises(TransientError, match=f"ConnectionGoneError: 127.0.0.1:{served.port}"):
            await client.send_task_success("token", "1")
    async with client_of(served) as client:
        with pytest.raises(TransientError, match=f"ConnectionRefusedError: 127.0.0.1:{served.port}: "):
            await client.send_task_success("token", "1")
