"""A web server of a few lines that says what a test tells it to, down to the bytes, and notes what it was asked."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Request:
    """What the stub was asked."""

    headers: dict[str, str]
    body: bytes

    @property
    def operation(self) -> str:
        """The operation of the JSON protocol: GetActivityTask and the like."""
        return self.headers["x-amz-target"].partition(".")[2]

    @property
    def parameters(self) -> Any:
        """The parameters of the JSON protocol."""
        return json.loads(self.body)


@dataclass(frozen=True)
class Broken:
    """Some bytes, after which the connection ends; without any, it is reset."""

    said: bytes = b""


Said = bytes | Broken
"""The bytes of a whole HTTP answer, or less."""
Answer = Callable[[Request], Awaitable[Said]]


@dataclass
class Stub:
    """The server: its address, and every request so far."""

    url: str
    requests: list[Request] = field(default_factory=list)


def answer(body: Any = None, status: int = 200, **headers: str) -> bytes:
    """A whole HTTP answer; `body` is sent as JSON unless it is bytes."""
    content = body if isinstance(body, bytes) else json.dumps({} if body is None else body).encode()
    lines = [f"HTTP/1.1 {status} Said", f"Content-Length: {len(content)}", "Content-Type: application/x-amz-json-1.0"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode() + content


def always(said: Said) -> Answer:
    """Says the same to everyone."""

    async def say(_: Request) -> Said:
        return said

    return say


@asynccontextmanager
async def serving(say: Answer) -> AsyncIterator[Stub]:
    """A stub on a free port of the loopback that answers as `say` does."""
    connections: set[asyncio.Task[None]] = set()

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task
        connections.add(task)
        try:
            while (request := await _read(reader)) is not None:
                stub.requests.append(request)
                said = await say(request)
                if said == Broken():
                    writer.transport.abort()
                    return
                writer.write(said.said if isinstance(said, Broken) else said)
                await writer.drain()
                if isinstance(said, Broken):
                    return
        except (ConnectionError, asyncio.CancelledError):
            pass
        finally:
            writer.close()
            connections.discard(task)

    server = await asyncio.start_server(connected, "127.0.0.1", 0)
    stub = Stub(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}")
    try:
        yield stub
    finally:
        server.close()
        for task in list(connections):
            task.cancel()
        await asyncio.gather(*connections)


async def _read(reader: asyncio.StreamReader) -> Request | None:
    try:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
    except asyncio.IncompleteReadError:
        return None
    headers = {
        name.lower(): value.strip()
        for name, _, value in (line.partition(":") for line in head.splitlines()[1:] if line)
    }
    return Request(headers, await reader.readexactly(int(headers.get("content-length", 0))))
