"""From the fast client back to the stock one, for good and with one line, and when not."""

import asyncio
import json
from typing import Any

import pytest
from aiohttp import web

from tests.account import Account, task, unique
from tests.proxy import Proxy, refused
from tests.stepfunctions.fast.server import Request, answer, serving
from tests.stepfunctions.fast.test_client import ARN, TASK, client_of, verified
from workers import Registry, Settings, Worker
from workers.stepfunctions.fast.choice import AutoClient
from workers.stepfunctions.fast.client import FastClient
from workers.stepfunctions.protocol import ActivityTask, DeniedError, TransientError

NOT_READ = [
    "InvalidSignatureException",
    "IncompleteSignature",
    "IncompleteSignatureException",
    "MissingAuthenticationToken",
    "MissingAuthenticationTokenException",
    "SerializationException",
    "SignatureDoesNotMatch",
    "UnknownOperationException",
]
"""Codes of a service that could not read or verify a request."""


@pytest.mark.parametrize(
    "strange",
    [
        b"not http at all\r\n\r\n",
        answer(b"<html>", status="200 OK"),
        answer(b"", status="302 Found", headers="location: http://x/\r\n"),
        answer(b"<html>", status="404 Not Found"),
        b"HTTP/1.1 200 OK\r\ncontent-length: 3\r\ncontent-length: 4\r\n\r\nabc",
        b"HTTP/1.1 101 Switching\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-length: 5000000\r\n\r\n" + b"x" * 5_000_000,
        *(answer(json.dumps({"__type": code, "message": "why"}).encode(), status="403 Forbidden") for code in NOT_READ),
    ],
    ids=["not http", "not json", "redirect", "not found", "two lengths", "upgrade", "too large", *NOT_READ],
)
async def test_auto_goes_back_to_the_stock_client_for_good(strange: bytes, capsys: pytest.CaptureFixture[str]) -> None:
    async with serving(strange, answer(), answer()) as served, client_of(served, "auto") as client:
        with pytest.raises(TransientError):  # repeated by the worker, which counts it, and polls no more in a drain
            await client.send_task_heartbeat("token")
        await client.send_task_heartbeat("token")
        await client.send_task_heartbeat("token")
    assert [served.requests[0].headers["user-agent"], len(served.requests)] == ["sfn-workers/0.1.0", 3]
    assert capsys.readouterr().out.count("using the stock client from now on") == 1


@pytest.mark.parametrize("task", [{"taskToken": 5, "input": {}}, {"taskToken": "token", "input": 5}])
async def test_a_task_of_other_types_is_left_to_the_stock_client(task: dict[str, Any]) -> None:
    async with serving(answer(json.dumps(task).encode()), TASK) as served, client_of(served, "auto") as client:
        with pytest.raises(TransientError, match="no text"):
            await client.get_activity_task(ARN, "me")
        assert await client.get_activity_task(ARN, "me") == ActivityTask("token", '{"x":1}')
        assert isinstance(client, AutoClient)
        assert not isinstance(client._hot, FastClient)


async def test_a_denied_call_is_no_reason_to_give_up() -> None:
    denied = answer(b'{"__type": "AccessDeniedException", "message": "why"}', status="400 Bad")
    async with serving(denied) as served, client_of(served, "auto") as client:
        with pytest.raises(DeniedError, match="AccessDeniedException: why"):
            await client.send_task_heartbeat("token")
        assert isinstance(client, AutoClient)
        assert isinstance(client._hot, FastClient)


async def test_a_fault_before_the_service_is_transient_and_no_reason_to_give_up() -> None:
    async with serving(answer(b"<html>", status="502 Bad"), answer()) as served, client_of(served, "auto") as client:
        with pytest.raises(TransientError, match="502"):
            await client.send_task_heartbeat("token")
        await client.send_task_heartbeat("token")
        assert isinstance(client, AutoClient)
        assert isinstance(client._hot, FastClient)


async def test_fast_stays_fast() -> None:
    async with serving(answer(b"<html>"), answer()) as served, client_of(served) as client:
        with pytest.raises(TransientError, match="status 200"):
            await client.send_task_heartbeat("token")
        await client.send_task_heartbeat("token")


async def test_a_signature_that_is_refused_ends_the_fast_client_and_no_task_is_lost(
    proxy: Proxy, account: Account, capsys: pytest.CaptureFixture[str]
) -> None:
    proxy.answers["SendTaskSuccess"] = [refused("InvalidSignatureException", status=403)]
    registry, name = Registry(), unique("echo")
    registry.add(name, lambda event, /: event)
    async with Worker(registry, Settings(client="auto", grace=5)):
        for number in range(3):
            assert await account.output(task(name), number) == number
    assert len(proxy.called("SendTaskSuccess")) == 4
    assert capsys.readouterr().out.count("using the stock client from now on") == 1


async def test_a_poll_that_is_answered_with_no_json_ends_the_fast_client_and_work_goes_on(
    proxy: Proxy, account: Account, capsys: pytest.CaptureFixture[str]
) -> None:
    proxy.answers["GetActivityTask"] = [web.Response(text="<html>", content_type="text/html")]
    registry, name = Registry(), unique("echo")
    registry.add(name, lambda event, /: event)
    async with Worker(registry, Settings(client="auto", grace=5)):
        assert await account.output(task(name), 1) == 1
    assert capsys.readouterr().out.count("using the stock client from now on") == 1


async def test_a_server_that_verifies_refuses_a_broken_signature_and_accepts_the_stock_clients() -> None:
    verdicts: list[bool] = []

    async def verify(request: Request, writer: asyncio.StreamWriter) -> None:
        verdicts.append(verified(request, served.port, None))
        refusal = b'{"__type": "InvalidSignatureException", "message": "The request signature does not match"}'
        writer.write(answer() if verdicts[-1] else answer(refusal, status="403 Forbidden"))

    async with serving(verify) as served, client_of(served, "auto") as client:
        await client.send_task_heartbeat("token")
        assert isinstance(client, AutoClient)
        assert isinstance(client._hot, FastClient)
        client._hot._signer._region = "nowhere-1"  # a fault of ours that only the service can find
        client._hot._signer._signs_for = None
        with pytest.raises(TransientError, match="InvalidSignatureException"):
            await client.send_task_heartbeat("token")
        await client.send_task_heartbeat("token")
    assert verdicts == [True, False, True]
