"""One HTTP/1.1 connection: a request goes out as bytes, its answer comes back parsed by httptools."""

import asyncio
import socket
from dataclasses import dataclass, field
from typing import cast

import httptools

LARGEST_ANSWER = 4 * 1024 * 1024
"""Bytes. The input of a task has at most 1,048,576 characters (GetActivityTask, API reference), JSON inside JSON."""
LARGEST_HEAD = 64 * 1024
_LENGTHS = frozenset({b"content-length", b"transfer-encoding"})


class NotHTTPError(Exception):
    """What came back is not an HTTP answer, or one that no AWS service sends."""


class ConnectionGoneError(Exception):
    """The connection ended before the answer had."""


@dataclass(slots=True)
class Answer:
    """An HTTP answer; names of headers in lower case."""

    status: int = 0
    headers: dict[bytes, bytes] = field(default_factory=dict)
    body: bytes = b""


_NONE = Answer()
"""Stands where no answer is awaited: a connection that is idle keeps nothing of its last one."""


class HTTPConnection(asyncio.Protocol):
    """A connection that carries one request at a time. There may be thousands, most of them idle: it is small."""

    __slots__ = ("_answer", "_body", "_head_size", "_loop", "_parser", "_size", "_transport", "_waiter", "closed")

    def __init__(self) -> None:
        self.closed = False
        """Whether it can take no further request."""
        self._transport: asyncio.Transport | None = None
        self._loop = asyncio.get_running_loop()
        self._waiter: asyncio.Future[Answer] | None = None
        self._parser = httptools.HttpResponseParser(self)
        self._answer = _NONE
        self._body = bytearray()  # not a list: many small pieces would take many times their bytes
        self._size = 0
        self._head_size = 0

    async def request(self, data: bytes, *, timeout: float) -> Answer:  # noqa: ASYNC109 - one timer, not a scope
        """Sends `data`, a whole request, and returns its answer, which may take `timeout` seconds.

        Raises `TimeoutError`, `ConnectionGoneError`, or `NotHTTPError`. A request that ends without its answer closes
        the connection: what may still come belongs to nobody.
        """
        if self._transport is None or self.closed:
            raise ConnectionGoneError("the connection is closed")
        self._answer, self._size, self._head_size = Answer(), 0, 0
        self._waiter = self._loop.create_future()
        self._transport.write(data)
        timer = self._loop.call_later(timeout, self._fail, TimeoutError())
        try:
            return await self._waiter
        except BaseException:
            self.close()
            raise
        finally:
            timer.cancel()
            self._waiter, self._answer = None, _NONE

    def close(self) -> None:
        """Ends the connection, whatever is under way."""
        self.closed = True
        if self._transport:
            self._transport.abort()

    # asyncio.Protocol

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Called by asyncio."""
        self._transport = cast("asyncio.Transport", transport)
        if sock := transport.get_extra_info("socket"):
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)  # polls are quiet for a minute

    def data_received(self, data: bytes) -> None:
        """Called by asyncio."""
        if self._waiter is None or self._waiter.done():
            self.close()  # nobody asked for it
            return
        self._size += len(data)
        if self._size > LARGEST_ANSWER:  # counted here: a line of a head that never ends would not come to `on_header`
            self._fail(NotHTTPError(f"the answer has more than {LARGEST_ANSWER:,} bytes"))
            return
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserCallbackError as error:
            self._fail(NotHTTPError(str(error.__context__ or error)))
        except (httptools.HttpParserError, httptools.HttpParserUpgrade) as error:
            self._fail(NotHTTPError(str(error) or "the answer is not HTTP"))

    def eof_received(self) -> bool:
        """Called by asyncio."""
        return False

    def connection_lost(self, error: Exception | None) -> None:
        """Called by asyncio."""
        self.closed = True
        if error is None and self._body and not _LENGTHS & self._answer.headers.keys():
            try:
                self.on_message_complete()  # as in HTTP/1.0, the answer ends where the connection does
            except NotHTTPError as not_http:
                self._fail(not_http)
        self._fail(ConnectionGoneError(str(error or "the server closed the connection")))

    # httptools

    def on_header(self, name: bytes, value: bytes) -> None:
        """Called by httptools."""
        self._head_size += len(name) + len(value)
        if self._head_size > LARGEST_HEAD:
            raise NotHTTPError(f"the head of the answer has more than {LARGEST_HEAD:,} bytes")
        self._answer.headers[name.lower()] = value

    def on_body(self, chunk: bytes) -> None:
        """Called by httptools."""
        self._body += chunk

    def on_message_complete(self) -> None:
        """Called by httptools."""
        if self._waiter is None or self._waiter.done():
            self.close()  # a second answer to one request
            return
        answer = self._answer
        answer.status = self._parser.get_status_code()
        if answer.status < 200:
            raise NotHTTPError(f"an answer with status {answer.status}")
        answer.body = bytes(self._body)
        self._body.clear()
        if not self._parser.should_keep_alive():
            self.closed = True
            if self._transport:
                self._transport.close()
        self._waiter.set_result(answer)

    def _fail(self, error: Exception) -> None:
        if self._waiter and not self._waiter.done():
            self._waiter.set_exception(error)
