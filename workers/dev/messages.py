"""What the loop and its children say to each other: JSON objects, one a line, over a socket."""

import asyncio
import json
import socket
from typing import Any, Self

_LINE_LIMIT = 2**26


class Line:
    """One end of the conversation."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    @classmethod
    async def on(cls, end: socket.socket) -> Self:
        """The conversation on a connected socket."""
        return cls(*await asyncio.open_connection(sock=end, limit=_LINE_LIMIT))

    async def say(self, **message: Any) -> None:
        """Sends a message. Nobody need be there to hear it."""
        self._writer.write(json.dumps(message).encode() + b"\n")
        try:
            await self._writer.drain()
        except ConnectionError:
            return

    async def hear(self) -> dict[str, Any] | None:
        """The next message; None when the other side has gone."""
        try:
            line = await self._reader.readline()
        except ConnectionError:
            return None
        found: dict[str, Any] | None = json.loads(line) if line.endswith(b"\n") else None
        return found

    def close(self) -> None:
        """Ends the conversation."""
        self._writer.close()
