"""The response path: whatever comes back is an answer or an error, never a hang."""

import asyncio
from unittest import mock

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.stepfunctions.fast.server import Request, answer, serving
from workers.stepfunctions.fast import http
from workers.stepfunctions.fast.http import ConnectionGoneError, HTTPConnection, NotHTTPError
from workers.stepfunctions.fast.pool import Endpoint, Pool

REQUEST = b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 2\r\n\r\n{}"


def a_pool(port: int, size: int = 1) -> Pool:
    return Pool(Endpoint("127.0.0.1", port, "/", None), size=size, connect_timeout=2)


async def test_a_connection_is_used_again() -> None:
    async with serving(answer(b"1"), answer(b"22")) as served:
        pool = a_pool(served.port)
        assert [(await pool.request(REQUEST, timeout=2)).body for _ in range(3)] == [b"1", b"22", b"22"]
        assert served.connections == 1
        pool.close()


def test_it_runs_on_uvloop_too() -> None:
    uvloop = pytest.importorskip("uvloop")

    async def ask() -> bytes:
        async with serving(answer(b"1")) as served:
            pool = a_pool(served.port)
            try:
                return (await pool.request(REQUEST, timeout=2)).body
            finally:
                pool.close()

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        assert runner.run(ask()) == b"1"


async def test_chunked_answers_and_closing_ones() -> None:
    chunked = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"
    async with serving(chunked, answer(b"x", headers="connection: close\r\n"), answer(b"y")) as served:
        pool = a_pool(served.port)
        assert [(await pool.request(REQUEST, timeout=2)).body for _ in range(3)] == [b"abcde", b"x", b"y"]
        assert served.connections == 2
        pool.close()


async def test_a_connection_that_the_server_closed_while_idle_is_replaced() -> None:
    async def answer_and_leave(_: Request, writer: asyncio.StreamWriter) -> None:
        writer.write(answer(b"1"))
        await writer.drain()
        writer.close()

    async with serving(answer_and_leave, answer(b"2")) as served:
        pool = a_pool(served.port)
        assert (await pool.request(REQUEST, timeout=2)).body == b"1"
        await asyncio.sleep(0.1)  # until the end of the connection has arrived
        assert (await pool.request(REQUEST, timeout=2)).body == b"2"
        pool.close()


async def test_no_more_connections_than_asked_for() -> None:
    held = asyncio.Event()

    async def hold(_: Request, writer: asyncio.StreamWriter) -> None:
        await held.wait()
        writer.write(answer())

    async with serving(hold) as served, asyncio.TaskGroup() as group:
        pool = a_pool(served.port, size=2)
        for _ in range(5):
            group.create_task(pool.request(REQUEST, timeout=5))
        while served.connections < 2:
            await asyncio.sleep(0.01)
        held.set()
    assert served.connections == 2
    pool.close()


async def test_a_cancelled_request_does_not_leave_its_answer_to_the_next() -> None:
    async def late(_: Request, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(0.1)
        writer.write(answer(b"for the first"))

    async with serving(late, answer(b"for the second")) as served:
        pool = a_pool(served.port)
        with pytest.raises(TimeoutError):
            await pool.request(REQUEST, timeout=0.05)
        assert (await pool.request(REQUEST, timeout=2)).body == b"for the second"
        pool.close()


@pytest.mark.parametrize(
    ("bytes_back", "error"),
    [
        (b"", ConnectionGoneError),
        (b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nabc", ConnectionGoneError),
        (b"HTTP/1.1 200", ConnectionGoneError),
        (b"SSH-2.0-OpenSSH\r\n", NotHTTPError),
        (b"HTTP/1.1 200 OK\r\ncontent-length: x\r\n\r\n", NotHTTPError),
        (b"HTTP/1.1 200 OK\r\ncontent-length: 3\r\ncontent-length: 4\r\n\r\nabc", NotHTTPError),
        (b"HTTP/1.1 200 OK\r\n" + b"x: " + b"y" * 70_000 + b"\r\n\r\n", NotHTTPError),
        (b"HTTP/1.1 101 Switching\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n", NotHTTPError),
    ],
    ids=["nothing", "too short", "cut head", "not http", "no length", "two lengths", "large head", "upgrade"],
)
async def test_what_is_no_answer_is_an_error(bytes_back: bytes, error: type[Exception]) -> None:
    async def send(_: Request, writer: asyncio.StreamWriter) -> None:
        writer.write(bytes_back)
        await writer.drain()
        writer.close()

    async with serving(send) as served:
        with pytest.raises(error):
            await a_pool(served.port).request(REQUEST, timeout=2)


@pytest.mark.parametrize(
    ("head", "piece"),
    [
        (b"transfer-encoding: chunked\r\n\r\n", b"10000\r\n" + b"x" * 65_536 + b"\r\n"),
        (b"content-length: 65536000\r\n\r\n", b"x" * 65_536),
        (b"x: ", b"x" * 65_536),
    ],
    ids=["chunks", "body", "a line of the head"],
)
async def test_an_answer_of_any_size_does_not_fill_the_memory(head: bytes, piece: bytes) -> None:
    async def flood(_: Request, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\n" + head)
        for _ in range(1_000):
            writer.write(piece)
            await writer.drain()

    async with serving(flood) as served:
        with mock.patch.object(http, "LARGEST_ANSWER", 300_000), pytest.raises(NotHTTPError, match="more than"):
            await a_pool(served.port).request(REQUEST, timeout=5)


async def test_a_slow_drip_ends_with_the_timeout() -> None:
    async def drip(_: Request, writer: asyncio.StreamWriter) -> None:
        for byte in answer(b"x" * 100):
            writer.write(bytes([byte]))
            await asyncio.sleep(0.05)

    async with serving(drip) as served:
        with pytest.raises(TimeoutError):
            await a_pool(served.port).request(REQUEST, timeout=0.3)


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
