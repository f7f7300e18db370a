"""A port on which requests are answered."""

import asyncio
import socket
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager

from workers.local.http.connection import Connection, Handler

BACKLOG = 1_024
MOMENT = 0.01
"""Seconds that open requests get in the end."""


@asynccontextmanager
async def answering(listener: socket.socket, handler: Handler) -> AsyncIterator[None]:
    """Answers the requests that come to `listener`, which is closed in the end; what is open then is cancelled."""
    connections: set[Connection] = set()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Connection(handler, connections), sock=listener, backlog=BACKLOG)
    try:
        yield
    finally:
        server.close()
        await _end(list(connections))


async def _end(connections: Collection[Connection]) -> None:
    for connection in connections:
        connection.finish()
    if not (open_ones := [connection for connection in connections if not connection.gone.done()]):
        return
    working = [connection.working for connection in open_ones if connection.working]
    gone = [connection.gone for connection in open_ones]
    await asyncio.wait(gone, timeout=MOMENT)
    for connection in open_ones:
        connection.abort()
    await asyncio.wait([*gone, *working])
