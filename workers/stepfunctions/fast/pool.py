"""Connections to one endpoint, kept for later requests and bounded in number."""

import asyncio
import ipaddress
import ssl
from dataclasses import dataclass
from typing import Any

from workers.stepfunctions.fast.http import Answer, HTTPConnection


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where requests go."""

    host: str
    port: int
    path: str
    tls: ssl.SSLContext | None

    @property
    def host_header(self) -> str:
        """The Host header, as botocore writes it: with the port where it is not the scheme's own."""
        name = f"[{self.host}]" if ":" in self.host else self.host
        return name if self.port == (443 if self.tls else 80) else f"{name}:{self.port}"

    @property
    def is_address(self) -> bool:
        """Whether the host is an IP address, of which there is no more than one."""
        try:
            ipaddress.ip_address(self.host)
        except ValueError:
            return False
        return True


class Pool:
    """At most `size` connections; the one used last is used first, so that spare ones grow old and are dropped."""

    def __init__(self, endpoint: Endpoint, *, size: int, connect_timeout: float) -> None:
        self._endpoint = endpoint
        self._connect_timeout = connect_timeout
        self._idle: list[HTTPConnection] = []
        self._room = asyncio.Semaphore(size)
        self._unwanted: set[asyncio.Task[HTTPConnection]] = set()
        """Connections that are still being opened for requests that were cancelled."""
        self._closed = False

    async def request(self, data: bytes, *, timeout: float) -> Answer:  # noqa: ASYNC109 - for the answer alone
        """Sends `data` and returns the answer, which may take `timeout` seconds once the connection stands.

        Raises `TimeoutError`, `OSError`, `ConnectionGoneError` or `NotHTTPError`.
        """
        await self._room.acquire()  # `async with` would cost two more coroutines for each request
        try:
            connection = self._spare() or await self._connect()
            # Never sent again from here: the worker must know that a report may have arrived before, and while it
            # drains no poll may begin anew.
            answer = await connection.request(data, timeout=timeout)
            if not connection.closed:
                if self._closed:
                    connection.close()
                else:
                    self._idle.append(connection)
            return answer
        finally:
            self._room.release()

    def _spare(self) -> HTTPConnection | None:
        while self._idle:
            connection = self._idle.pop()
            if not connection.closed:
                return connection
        return None

    async def _connect(self) -> HTTPConnection:
        # uvloop, which may run instead, tries one address after the other and knows no such option. An address needs no
        # race, which costs two tasks.
        if self._endpoint.is_address or not isinstance(asyncio.get_running_loop(), asyncio.BaseEventLoop):
            return await self._open()
        opening = asyncio.create_task(self._open(happy_eyeballs_delay=0.25), name="connect")
        try:
            return await asyncio.shield(opening)
        except asyncio.CancelledError:  # a race that is cancelled leaves its sockets open (Python 3.11): let it end
            self._unwanted.add(opening)
            opening.add_done_callback(self._close_unwanted)
            raise

    async def _open(self, **race: Any) -> HTTPConnection:
        end = self._endpoint
        async with asyncio.timeout(self._connect_timeout):
            _, connection = await asyncio.get_running_loop().create_connection(
                HTTPConnection,
                end.host,
                end.port,
                ssl=end.tls,
                server_hostname=end.host if end.tls else None,
                **race,
            )
        return connection

    def _close_unwanted(self, opening: asyncio.Task[HTTPConnection]) -> None:
        self._unwanted.discard(opening)
        if not opening.cancelled() and opening.exception() is None:
            opening.result().close()

    def close(self) -> None:
        """Closes what is idle now, and what is in use as soon as it becomes idle."""
        self._closed = True
        while self._idle:
            self._idle.pop().close()
