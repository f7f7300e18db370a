"""Whatever a server sends, and however it sends it: an answer or one of the protocol's errors, never a hang."""

import asyncio
import json
from unittest import mock

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.stepfunctions.fast.server import Request, answer, serving
from tests.stepfunctions.fast.test_client import ARN
from tests.stepfunctions.fast.test_http import REQUEST
from tests.stepfunctions.fast.test_limits import a_client, here
from workers.stepfunctions.client import Timeouts
from workers.stepfunctions.fast.client import FastClient, UnaccountableError
from workers.stepfunctions.fast.http import ConnectionGoneError, HTTPConnection, NotHTTPError
from workers.stepfunctions.protocol import ActivityTask, ServiceError

WHOLE = answer(b'{"taskToken": "t", "input": "{}"}', headers="x-amzn-requestid: 1\r\n")


@given(st.data())
@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_mangled_answers_end_in_an_answer_or_an_error(data: st.DataObject) -> None:
    """Cut, doubled and changed bytes, fed in pieces straight into the connection."""
    mangled = bytearray(WHOLE)
    for _ in range(data.draw(st.integers(0, 6))):
        place = data.draw(st.integers(0, len(mangled) - 1))
        mangled[place : place + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=4))
    pieces = data.draw(st.lists(st.integers(1, 40), min_size=1, max_size=20))

    connection = HTTPConnection()
    transport = mock.Mock(spec=asyncio.Transport)
    transport.get_extra_info.return_value = None
    connection.connection_made(transport)
    asking = asyncio.ensure_future(connection.request(REQUEST, timeout=10))
    await asyncio.sleep(0)
    rest = bytes(mangled)
    for size in pieces:
        if rest and not asking.done():
            connection.data_received(rest[:size])
            rest = rest[size:]
            await asyncio.sleep(0)
    connection.connection_lost(None)
    try:
        got = await asyncio.wait_for(asking, 1)
    except (ConnectionGoneError, NotHTTPError):
        return
    assert 200 <= got.status <= 999


NAMES = st.sampled_from(["content-length", "transfer-encoding", "connection", "x-amzn-errortype", "date", "a"])
VALUES = st.sampled_from(["0", "3", "99", "chunked", "close", "keep-alive", "TaskTimedOut", "x#y:z", ""])
JSON = st.recursive(st.none() | st.booleans() | st.integers() | st.text(), lambda more: st.lists(more, max_size=3))
BODIES = st.binary(max_size=60) | st.dictionaries(
    st.sampled_from(["taskToken", "input", "__type", "message", "code"]), JSON, max_size=4
).map(lambda document: json.dumps(document).encode())


@st.composite
def an_answer(draw: st.DrawFn) -> bytes:
    """Something like HTTP: any status, any headers, a body that they describe, or do not."""
    body = draw(BODIES)
    lines = [f"HTTP/1.{draw(st.sampled_from('019'))} {draw(st.integers(0, 999))} Status"]
    if draw(st.booleans()):
        lines.append(f"content-length: {len(body) + draw(st.sampled_from([0, 0, 0, 1, -1]))}")
    lines += [f"{draw(NAMES)}: {draw(VALUES | st.text(max_size=5))}" for _ in range(draw(st.integers(0, 2)))]
    whole = "\r\n".join([*lines, "", ""]).encode() + body
    return whole[: draw(st.sampled_from([len(whole)] * 3 + [len(whole) // 2]))]


@given(st.data())
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_calls_end_as_the_protocol_says_whatever_is_sent(data: st.DataObject) -> None:
    """Over real connections, polls and reports side by side, and a good call after each."""
    sent = data.draw(st.lists(an_answer(), min_size=1, max_size=4))

    async def send(request: Request, writer: asyncio.StreamWriter) -> None:
        if left:
            writer.write(left.pop())
            await writer.drain()
            writer.close()
        else:
            writer.write(answer())

    left = list(sent)
    async with (
        serving(send) as served,
        a_client(here(served.port), Timeouts(5, 10, 10), size=1) as client,
        asyncio.timeout(60),
    ):
        while left:
            await asyncio.gather(_poll(client), _report(client))
        await client.send_task_heartbeat("token")
        assert await client.get_activity_task(ARN, "me") is None


async def _poll(client: FastClient) -> None:
    try:
        found = await client.get_activity_task(ARN, "me")
    except (ServiceError, UnaccountableError):
        return
    assert found is None or (isinstance(found, ActivityTask) and isinstance(found.input, str))


async def _report(client: FastClient) -> None:
    try:
        await client.send_task_success("token", "1")
    except (ServiceError, UnaccountableError):
        return
