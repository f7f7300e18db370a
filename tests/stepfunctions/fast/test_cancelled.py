"""Requests that are cancelled: no connection stays open, and none is missed afterwards."""

import asyncio

import pytest

from tests.stepfunctions.fast.server import answer
from workers.stepfunctions.fast.pool import Endpoint, Pool

SIZE = 4
REQUEST = b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 2\r\n\r\n{}"


class Silent:
    """A server that answers nothing until it is told to."""

    def __init__(self) -> None:
        self.open = 0
        self.asked = 0
        self.answers = False

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.open += 1
        try:
            while data := await reader.read(65_536):
                self.asked += data.count(b"POST")
                if self.answers:
                    writer.write(answer())
        finally:
            self.open -= 1
            writer.close()


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
async def test_cancelled_requests_leave_no_connection(host: str) -> None:
    await cancel_at_every_point(host)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_nor_do_they_on_uvloop(host: str) -> None:
    uvloop = pytest.importorskip("uvloop")
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(cancel_at_every_point(host))


async def cancel_at_every_point(host: str) -> None:
    silent = Silent()
    async with await asyncio.start_server(silent.handle, "127.0.0.1", 0) as server:
        end = Endpoint(host, server.sockets[0].getsockname()[1], "/", None)
        pool = Pool(end, size=SIZE, connect_timeout=5)
        for turns in range(40):  # while it connects, while it is sent, while its answer is waited for
            asked = silent.asked
            request = asyncio.create_task(pool.request(REQUEST, timeout=60))
            for _ in range(turns % 8):
                await asyncio.sleep(0)
            if turns % 8 == 7:
                while silent.asked == asked:
                    await asyncio.sleep(0.001)
            request.cancel()
            with pytest.raises(asyncio.CancelledError):
                await request
        async with asyncio.timeout(10):
            while silent.open:
                await asyncio.sleep(0.01)
        silent.answers = True
        async with asyncio.timeout(10):
            answers = await asyncio.gather(*(pool.request(REQUEST, timeout=5) for _ in range(SIZE)))
        assert [one.status for one in answers] == [200] * SIZE
        assert silent.open == SIZE
        pool.close()
