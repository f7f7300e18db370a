"""The engine's HTTP, byte by byte: what SDKs send, what they could send, and what nobody should."""

import asyncio
import json
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from urllib.parse import urlsplit

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.account import unique
from tests.local.helpers import connect
from workers.local import LocalStepFunctions
from workers.local.http.messages import Answer

Answered = tuple[int, dict[str, str], bytes]

WITHIN = 10.0
"""Seconds for each answer."""


class Wire:
    """A connection on which anything can be sent."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    async def send(self, data: bytes) -> None:
        self._writer.write(data)
        await self._writer.drain()

    async def answer(self, *, to: str = "POST") -> Answered:
        """The next answer: status, headers by their names in lower case, and body."""
        async with asyncio.timeout(WITHIN):
            head = (await self._reader.readuntil(b"\r\n\r\n")).decode()
            first, *lines = head.strip().split("\r\n")
            headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
            length = 0 if to == "HEAD" else int(headers.get("content-length", 0))
            return int(first.split()[1]), headers, await self._reader.readexactly(length)

    def end(self) -> None:
        """Nothing more is sent."""
        self._writer.write_eof()

    async def rest(self) -> bytes:
        """What comes until the engine closes the connection."""
        async with asyncio.timeout(WITHIN):
            return await self._reader.read()


@asynccontextmanager
async def wire(engine: LocalStepFunctions) -> AsyncIterator[Wire]:
    parts = urlsplit(engine.url)
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
    try:
        yield Wire(reader, writer)
    finally:
        writer.close()


def call(operation: str = "ListActivities", body: bytes = b"{}", more: str = "", version: str = "1.1") -> bytes:
    length = "" if "chunked" in more else f"content-length: {len(body)}\r\n"
    head = f"POST / HTTP/{version}\r\nhost: x\r\nx-amz-target: AWSStepFunctions.{operation}\r\n{length}{more}\r\n"
    return head.encode() + body


def code(answer: Answered) -> str:
    return str(json.loads(answer[2])["__type"])


async def test_a_connection_is_kept_and_answers_in_order(engine: LocalStepFunctions):
    async with wire(engine) as connection:
        for _ in range(3):
            await connection.send(call())
            status, headers, body = await connection.answer()
            assert status == 200
            assert "activities" in json.loads(body)
            assert headers["date"].endswith("GMT")
        await connection.send(b"".join(call("Unknown" if number % 2 else "ListActivities") for number in range(60)))
        assert [(await connection.answer())[0] for _ in range(60)] == [200, 400] * 30


async def test_a_request_may_come_in_the_smallest_pieces(engine: LocalStepFunctions):
    async with wire(engine) as connection:
        for byte in call("DescribeActivity", b'{"activityArn": ""}'):
            await connection.send(bytes([byte]))
        assert code(await connection.answer()) == "ValidationException"


async def test_a_body_in_chunks(engine: LocalStepFunctions):
    more = "transfer-encoding: chunked\r\n"
    async with wire(engine) as connection:
        await connection.send(call(body=b'1;x=y\r\n{\r\n1\r\n"\r\n0\r\ntrailer: x\r\n\r\n', more=more))
        assert code(await connection.answer()) == "SerializationException"
        await connection.send(call(body=b"2\r\n{}\r\n0\r\n\r\n", more=more))
        assert (await connection.answer())[0] == 200


@pytest.mark.parametrize("version", ["1.0", "1.1"])
async def test_a_client_that_wants_no_more_than_one_answer(engine: LocalStepFunctions, version: str):
    async with wire(engine) as connection:
        await connection.send(call(more="" if version == "1.0" else "connection: close\r\n", version=version) + call())
        status, headers, _ = await connection.answer()
        assert (status, headers["connection"]) == (200, "close")
        assert await connection.rest() == b""


async def test_who_asks_before_sending_is_told_to_go_on(engine: LocalStepFunctions):
    async with wire(engine) as connection:
        asked = call(body=b"{}", more="expect: 100-continue\r\n")
        await connection.send(asked.removesuffix(b"{}"))
        assert (await connection.answer())[0] == 100
        await connection.send(b"{}")
        assert (await connection.answer())[0] == 200


async def test_an_upgrade_to_another_protocol_is_passed_over(engine: LocalStepFunctions):
    upgrade = "connection: Upgrade, HTTP2-Settings\r\nupgrade: h2c\r\nhttp2-settings: AAMAAABkAAQAoAAAAAIAAAAA\r\n"
    async with wire(engine) as connection:
        await connection.send(call(more=upgrade) + call())
        assert [(await connection.answer())[0] for _ in range(2)] == [200, 200]


async def test_an_object_and_its_head(engine: LocalStepFunctions):
    bucket, body = unique("http"), b"x" * 8_000_000
    keys = "authorization: AWS4-HMAC-SHA256 Credential=local/20200101/us-east-1/s3/aws4_request\r\n"
    async with connect(engine, "s3") as s3, wire(engine) as connection:
        await s3.create_bucket(Bucket=bucket)
        await s3.put_object(Bucket=bucket, Key="object", Body=body, Metadata={"of": "this"})
        for method in ("HEAD", "GET", "HEAD"):
            await connection.send(f"{method} /{bucket}/object HTTP/1.1\r\nhost: x\r\n{keys}\r\n".encode())
            status, headers, got = await connection.answer(to=method)
            assert (status, headers["content-length"], headers["x-amz-meta-of"]) == (200, "8000000", "this")
            assert got == (body if method == "GET" else b"")
        await connection.send(f"DELETE /{bucket}/object HTTP/1.1\r\nhost: x\r\n{keys}\r\n".encode())
        status, headers, _ = await connection.answer()
        assert status == 204
        assert "content-length" not in headers


async def test_who_reads_slowly_gets_the_whole_last_answer(engine: LocalStepFunctions):
    bucket, body = unique("http"), b"x" * 20_000_000  # more than the sockets hold
    async with connect(engine, "s3") as s3, wire(engine) as connection:
        await s3.create_bucket(Bucket=bucket)
        await s3.put_object(Bucket=bucket, Key="object", Body=body)
        keys = "authorization: AWS4-HMAC-SHA256 Credential=local/20200101/us-east-1/s3/aws4_request\r\n"
        await connection.send(f"GET /{bucket}/object HTTP/1.1\r\nhost: x\r\n{keys}connection: close\r\n\r\n".encode())
        await asyncio.sleep(1.5)  # longer than the engine waits for a client that has its answer
        assert (await connection.answer())[2] == body
        assert await connection.rest() == b""


ENDLESS = b"a" * 400_000
REFUSED = [
    (b"nonsense\r\n\r\n", 400),
    (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 400),  # the beginning of TLS
    (b"EAT / HTTP/1.1\r\n\r\n", 400),
    (b"POST / HTTP/1.1\r\ncontent-length: -1\r\n\r\n", 400),
    (b"POST / HTTP/1.1\r\ncontent-length: 1\r\ntransfer-encoding: chunked\r\n\r\n", 400),
    (b"POST / HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\nmany\r\n", 400),
    (b"CONNECT somewhere:443 HTTP/1.1\r\nhost: somewhere\r\n\r\n", 405),
    (b"GET /" + ENDLESS, 431),
    (b"GET / HTTP/1.1\r\nx: " + ENDLESS, 431),
    (b"GET / HTTP/1.1\r\n" + b"x: y\r\n" * 30_000, 431),
]


@pytest.mark.parametrize(("data", "status"), REFUSED)
async def test_what_is_no_request_ends_its_connection(engine: LocalStepFunctions, data: bytes, status: int):
    async with wire(engine) as connection:
        await connection.send(call() + data)
        assert (await connection.answer())[0] == 200, "the request before it is answered"
        refused, headers, body = await connection.answer()
        assert (refused, headers["connection"], body) == (status, "close", b"")


async def test_a_path_of_any_bytes_is_answered(engine: LocalStepFunctions):
    async with wire(engine) as connection:
        await connection.send(b"GET /\xff\xfe?\xe2\x82\xac HTTP/1.1\r\nhost: \xff\r\nx-amz-meta-\xff: \xff\r\n\r\n")
        assert (await connection.answer())[0] < 500


def test_no_value_of_a_header_can_add_another():
    start, _ = Answer(200, headers=[("a", "b\r\nx-added: yes\0")]).encoded(head=False, close=False)
    assert b"\r\na: b  x-added: yes \r\n" in start


PIECES = st.one_of(
    st.binary(max_size=40),
    st.sampled_from([b"\r\n", b"\r\n\r\n", b"POST / HTTP/1.1\r\n", b"host: x\r\n", b"0\r\n\r\n", b"\0", b"{}"]),
    st.sampled_from([b"content-length: 2\r\n", b"transfer-encoding: chunked\r\n", b"expect: 100-continue\r\n"]),
    st.sampled_from([call(), call("Unknown"), call(body=b"[")]),
)


@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(pieces=st.lists(PIECES, max_size=6))
async def test_whatever_is_sent_the_engine_goes_on(engine: LocalStepFunctions, pieces: list[bytes]):
    async with wire(engine) as connection, wire(engine) as other:
        with suppress(ConnectionError):
            for piece in pieces:
                await connection.send(piece)
        await other.send(call(more="connection: close\r\n"))
        assert (await other.answer())[0] == 200
        with suppress(ConnectionError):
            await connection.send(call(more="connection: close\r\n"))
            connection.end()
            assert b"HTTP/1.1 5" not in await connection.rest()


def test_the_command_loads_no_more_than_it_needs_to_be_ready():
    program = "import sys, workers.cli.local, workers.local.serving, workers.local.engine; print(*sys.modules)"
    command = [sys.executable, "-c", program]
    loaded = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True).stdout.split()
    assert not {"aiobotocore", "aiohttp", "moto", "rich", "starlette"} & set(loaded)


async def test_an_engine_ends_with_connections_in_any_state():
    async with asyncio.timeout(WITHIN):
        async with LocalStepFunctions() as local, wire(local) as idle, wire(local) as half, wire(local) as poll:
            await idle.send(call())
            assert (await idle.answer())[0] == 200
            await half.send(call()[:-1])
            await poll.send(call("CreateActivity", b'{"name": "polled"}'))
            arn = json.loads((await poll.answer())[2])["activityArn"]
            await poll.send(call("GetActivityTask", json.dumps({"activityArn": arn}).encode()))
            await idle.send(call())
            assert (await idle.answer())[0] == 200
            await local.__aexit__(None, None, None)
            assert [await connection.rest() for connection in (idle, half, poll)] == [b"", b"", b""]
