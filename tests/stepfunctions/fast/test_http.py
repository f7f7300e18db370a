"""The response path: whatever comes back is an answer or an error, never a hang."""

import asyncio
import tracemalloc
from unittest import mock

import pytest

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


CHUNKED = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n"


@pytest.mark.parametrize(
    ("first", "kept"),
    [
        (answer(b"abc"), True),
        (answer(b"abc", headers="connection: close\r\n"), False),
        (CHUNKED + b"\r\n1\r\na\r\n2\r\nbc\r\n0\r\n\r\n", True),
        (CHUNKED + b"connection: close\r\n\r\n3\r\nabc\r\n0\r\n\r\n", False),
        (CHUNKED + b"trailer: x\r\n\r\n3;a=b\r\nabc\r\n0\r\nx: y\r\n\r\n", True),
        (b"HTTP/1.0 200 OK\r\ncontent-length: 3\r\n\r\nabc", False),
        (b"HTTP/1.0 200 OK\r\ncontent-length: 3\r\nconnection: keep-alive\r\n\r\nabc", True),
        (b"HTTP/1.1 200 \r\ncontent-length: 3\r\nkeep-alive: timeout=5, max=1\r\n\r\nabc", True),
    ],
    ids=["length", "closing", "chunks", "closing chunks", "trailers", "HTTP/1.0", "HTTP/1.0 kept", "kept a while"],
)
@pytest.mark.parametrize("piecewise", [False, True])
async def test_every_form_of_answer_and_whether_its_connection_is_used_again(
    first: bytes, kept: bool, piecewise: bool
) -> None:
    async def send(_: Request, writer: asyncio.StreamWriter) -> None:
        for piece in [first[at : at + 1] for at in range(len(first))] if piecewise else [first]:
            writer.write(piece)
            await asyncio.sleep(0)

    async with serving(send, answer(b"y")) as served:
        pool = a_pool(served.port)
        assert [(await pool.request(REQUEST, timeout=5)).body for _ in range(2)] == [b"abc", b"y"]
        assert served.connections == (1 if kept else 2)
        pool.close()


async def test_an_answer_without_a_length_ends_with_its_connection() -> None:
    async def send(_: Request, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.0 200 OK\r\ncontent-type: x\r\n\r\nabc")
        writer.close()

    async with serving(send, answer(b"y")) as served:
        pool = a_pool(served.port)
        assert [(await pool.request(REQUEST, timeout=5)).body for _ in range(2)] == [b"abc", b"y"]
        pool.close()


@pytest.mark.parametrize("how", ["closed", "reset"])
async def test_a_connection_that_the_server_ended_while_idle_is_replaced(how: str) -> None:
    async def answer_and_leave(_: Request, writer: asyncio.StreamWriter) -> None:
        writer.write(answer(b"1"))
        await writer.drain()
        await answered.wait()
        if how == "closed":
            writer.close()
        else:
            writer.transport.abort()

    answered = asyncio.Event()
    async with serving(answer_and_leave, answer(b"2")) as served:
        pool = a_pool(served.port)
        assert (await pool.request(REQUEST, timeout=2)).body == b"1"
        answered.set()
        async with asyncio.timeout(10):
            while not pool._idle[0].closed:
                await asyncio.sleep(0.001)
        assert (await pool.request(REQUEST, timeout=2)).body == b"2"
        assert served.connections == 2
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
        (b"HTTP/1.1 099 No\r\n\r\nabc", NotHTTPError),
    ],
    ids=["nothing", "too short", "cut head", "not http", "no length", "two lengths", "large head", "upgrade", "status"],
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


@pytest.mark.parametrize(
    ("head", "drop"),
    [
        (b"HTTP/1.1 200 ", b"O"),
        (b"HTTP/1.1 200 OK\r\n", b"a: b\r\n"),
        (b"HTTP/1.1 200 OK\r\na: ", b"b"),
        (b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n", b"1\r\nx\r\n"),
        (b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1;", b"e"),
        (b"HTTP/1.1 200 OK\r\ncontent-length: 1000000\r\n\r\n", b"x"),
        (b"HTTP/1.1 200 OK\r\n\r\n", b"x"),
    ],
    ids=["status", "headers", "a header", "chunks", "an extension", "body", "body without a length"],
)
async def test_a_slow_drip_ends_with_the_timeout(head: bytes, drop: bytes) -> None:
    async def drip(_: Request, writer: asyncio.StreamWriter) -> None:
        writer.write(head)
        while True:
            writer.write(drop)
            await writer.drain()
            await asyncio.sleep(0.01)

    async with serving(drip) as served, asyncio.timeout(30):
        with pytest.raises(TimeoutError):
            await a_pool(served.port).request(REQUEST, timeout=0.1)


@pytest.mark.parametrize(
    ("head", "drop"),
    [
        (b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n", b"2\r\nxy\r\n"),
        (b"HTTP/1.1 200 OK\r\ncontent-length: 9000000\r\n\r\n", b"xy"),
        (b"HTTP/1.1 200 OK\r\n", b"a: b\r\n"),
        (b"HTTP/1.1 200 ", b"OK"),
    ],
    ids=["chunks", "body", "headers", "status"],
)
async def test_many_small_pieces_take_no_more_memory_than_their_bytes(head: bytes, drop: bytes) -> None:
    connection, transport = HTTPConnection(), mock.Mock(spec=asyncio.Transport)
    transport.get_extra_info.return_value = None
    connection.connection_made(transport)
    with mock.patch.object(http, "LARGEST_ANSWER", 200_000), mock.patch.object(http, "LARGEST_HEAD", 200_000):
        asking = asyncio.ensure_future(connection.request(REQUEST, timeout=60))
        await asyncio.sleep(0)
        connection.data_received(head)
        tracemalloc.start()
        try:
            for _ in range(200_000):
                connection.data_received(drop)
                if asking.done() or connection._waiter is None or connection._waiter.done():
                    break
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
        with pytest.raises(NotHTTPError, match="more than"):
            await asking
    assert peak < 1_000_000
