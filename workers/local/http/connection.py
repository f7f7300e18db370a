"""One connection of a client: its requests are answered one after the other."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, MutableSet
from typing import cast

import httptools

from workers.local.http.messages import Answer, Request

Handler = Callable[[Request], Awaitable[Answer | None]]
"""Answers a request; None where its client shall hear nothing and lose the connection. It is cancelled when the
client goes."""

LARGEST_HEAD = 64 * 1024
"""Bytes of a request before its body."""
_MOST_WAITING = 16
"""Requests that a client may send without having read an answer; then nothing more is read from it."""
_LINGER = 1.0
"""Seconds for which a client is still read from after its last answer, which a connection that is reset may lose."""
_CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


class Connection(asyncio.Protocol):
    """Reads requests and writes what `handler` answers. It is in `all_open` for as long as it is open."""

    def __init__(self, handler: Handler, all_open: "MutableSet[Connection]") -> None:
        self._handler = handler
        self._all_open = all_open
        self._loop = asyncio.get_running_loop()
        self._parser = httptools.HttpRequestParser(self)
        self._transport: asyncio.Transport | None = None
        self._head: _Head | None = None
        self._request = Request("", "")
        self._chunks: list[bytes] = []
        self._waiting: deque[Request | Answer] = deque()
        """What came and was not answered yet; an `Answer` stands for what was no request."""
        self._working: asyncio.Task[None] | None = None
        self._last = False
        """Whether nothing more is read."""
        self._lingering: asyncio.TimerHandle | None = None
        self._writable = asyncio.Event()
        self._writable.set()
        self.gone = self._loop.create_future()
        """Done when the connection is closed."""

    @property
    def working(self) -> "asyncio.Task[None] | None":
        """What answers a request now."""
        return self._working

    def finish(self) -> None:
        """Closes the connection, once what came has been answered."""
        self._last = True
        if self._working is None and self._transport:
            self._transport.close()

    def abort(self) -> None:
        """Closes the connection at once."""
        self._last = True
        if self._transport:
            self._transport.abort()

    # asyncio.Protocol

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Called by asyncio."""
        self._transport = cast("asyncio.Transport", transport)
        self._all_open.add(self)

    def connection_lost(self, error: Exception | None) -> None:
        """Called by asyncio."""
        del error
        self._last = True
        self._all_open.discard(self)
        self._waiting.clear()
        self._writable.set()
        if self._lingering:
            self._lingering.cancel()
        if self._working:
            self._working.cancel()
        self.gone.set_result(None)

    def pause_writing(self) -> None:
        """Called by asyncio."""
        self._writable.clear()

    def resume_writing(self) -> None:
        """Called by asyncio."""
        self._writable.set()

    def data_received(self, data: bytes) -> None:
        """Called by asyncio."""
        before = self._head
        while data and not self._last:
            try:
                self._parser.feed_data(data)
                break
            except httptools.HttpParserUpgrade as upgrade:  # to what is not spoken here: read without that wish
                data = _plain_head(self._request) + data[upgrade.args[0] :]
                self._parser = httptools.HttpRequestParser(self)
            except httptools.HttpParserError as error:
                cause = error.__context__
                self._refuse(cause.status if isinstance(cause, _RefusedError) else 400)
        if before and self._head is before:  # the line of a head that never ends does not come to `on_header`
            before.size += len(data)
            if before.size > LARGEST_HEAD:
                self._refuse(431)
        if len(self._waiting) > _MOST_WAITING and self._transport:
            self._transport.pause_reading()

    # httptools

    def on_message_begin(self) -> None:
        """Called by httptools."""
        self._head = _Head()
        self._request = Request("", "")
        self._chunks = []

    def on_url(self, part: bytes) -> None:
        """Called by httptools."""
        if self._head:
            self._head.add(len(part))
            self._head.target += part

    def on_header(self, name: bytes, value: bytes) -> None:
        """Called by httptools."""
        if self._head:  # else it comes after the body
            self._head.add(len(name) + len(value))
            self._request.headers.append((_text(name), _text(value)))

    def on_headers_complete(self) -> None:
        """Called by httptools."""
        if self._head is None:
            return
        self._request.method = _text(self._parser.get_method())
        self._request.target = _text(self._head.target)
        self._head = None
        if self._request.method == "CONNECT":
            raise _RefusedError(405)
        if self._parser.should_upgrade():
            return
        asked = self._request.header("expect").lower() == "100-continue" and self._parser.get_http_version() != "1.0"
        if asked and self._transport and self._working is None and not self._waiting:
            self._transport.write(_CONTINUE)

    def on_body(self, chunk: bytes) -> None:
        """Called by httptools."""
        self._chunks.append(chunk)

    def on_message_complete(self) -> None:
        """Called by httptools."""
        if self._last or self._parser.should_upgrade():
            return
        self._request.body = b"".join(self._chunks)
        self._chunks = []
        self._last = not self._parser.should_keep_alive() or self._parser.get_http_version() == "1.0"
        self._add(self._request)

    # Answers

    def _refuse(self, status: int) -> None:
        if not self._last:
            self._last = True
            self._add(Answer(status))

    def _add(self, what: Request | Answer) -> None:
        self._waiting.append(what)
        if self._working is None:
            self._working = self._loop.create_task(self._work(), name="requests of a connection")

    async def _work(self) -> None:
        transport = self._transport
        try:
            while self._waiting and transport and not transport.is_closing():
                await self._writable.wait()
                await self._answer(self._waiting.popleft(), transport)
                if not self._last and len(self._waiting) <= _MOST_WAITING:
                    transport.resume_reading()
        except BaseException:
            self.abort()
            raise
        finally:
            self._working = None

    async def _answer(self, what: Request | Answer, transport: asyncio.Transport) -> None:
        answer = await self._handler(what) if isinstance(what, Request) else what
        if answer is None:
            self.abort()
            return
        head = isinstance(what, Request) and what.method == "HEAD"
        close = self._last and not self._waiting
        start, body = answer.encoded(head=head, close=close)
        transport.writelines((start, body) if body else (start,))
        if close:
            self._linger(transport)

    def _linger(self, transport: asyncio.Transport) -> None:
        transport.write_eof()
        transport.resume_reading()
        self._lingering = self._loop.call_later(_LINGER, self._leave, transport)

    def _leave(self, transport: asyncio.Transport) -> None:
        if transport.get_write_buffer_size():  # a slow reader
            self._lingering = self._loop.call_later(_LINGER, self._leave, transport)
        else:
            self.abort()


class _RefusedError(Exception):
    """A request that is answered by a status alone, and ends its connection."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


class _Head:
    """The head of a request while it comes in."""

    __slots__ = ("size", "target")

    def __init__(self) -> None:
        self.size = 0
        self.target = b""

    def add(self, size: int) -> None:
        """Raises `_RefusedError` when it has become too large."""
        self.size += size
        if self.size > LARGEST_HEAD:
            raise _RefusedError(431)


def _plain_head(request: Request) -> bytes:
    """The head of a request that asked for another protocol, without its asking."""
    kept = [f"{name}: {value}\r\n" for name, value in request.headers if name.lower() != "upgrade"]
    head = f"{request.method} {request.target} HTTP/1.1\r\n{''.join(kept)}\r\n"
    return head.encode("utf-8", "surrogateescape")


def _text(data: bytes) -> str:
    """What is not UTF-8 goes out again as it came."""
    return data.decode("utf-8", "surrogateescape")
