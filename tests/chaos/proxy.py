"""A proxy between workers and Step Functions that spoils calls, and hides from Step Functions that a worker has gone.

A call that was passed on stays open towards the engine whatever becomes of its worker, as AWS can hold it: a poll
that a worker drops takes the next task with it.
"""

import asyncio
import json
import socket
import struct
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import aiohttp

from tests.chaos.faults import Fault, Plan, no_faults
from tests.chaos.http1 import Answer, Request, document, error, read_request
from tests.chaos.recorder import Call, Recorder

DELAY = 0.3
"""Seconds that a delayed call takes longer."""
SILENCE = 2.0
"""Seconds without an answer before such a connection is reset."""
_RESET = struct.pack("ii", 1, 0)  # SO_LINGER on, of no time: closing sends a reset

Rewrite = Callable[[dict[str, Any]], dict[str, Any]]


class Proxy:
    """Passes calls on to the engine at `upstream`, spoiled as `faults` says. Both can be changed at any time."""

    def __init__(self, upstream: str, *, faults: Plan = no_faults) -> None:
        self.url = ""
        self.faults = faults
        self.record = Recorder()
        self.rewrite: Rewrite = dict
        """Changes what a poll brings before the worker sees it."""
        self._upstream = upstream
        self._dark = False
        self._held: set[asyncio.StreamWriter] = set()
        self._gates: dict[str, asyncio.Event] = {}
        self._connections: set[asyncio.Task[None]] = set()
        self._session: aiohttp.ClientSession

    def darken(self) -> None:
        """Begins a black hole: what comes in is held, what would go out is held, nothing is refused."""
        self._dark = True

    def lighten(self, *, reset: bool) -> None:
        """Ends the black hole. What it swallowed stays silent for ever, unless `reset` breaks those connections."""
        self._dark = False
        held, self._held = self._held, set()
        if reset:
            for writer in held:
                _reset(writer)

    @asynccontextmanager
    async def holding(self, operation: str) -> AsyncIterator[None]:
        """Keeps calls of `operation` from the engine while entered, then passes them on."""
        gate = self._gates[operation] = asyncio.Event()
        try:
            yield
        finally:
            del self._gates[operation]
            gate.set()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection of a worker."""
        task = asyncio.current_task()
        assert task
        self._connections.add(task)
        try:
            while (request := await read_request(reader)) and await self._call(request, reader, writer):
                pass
        except asyncio.CancelledError:
            pass  # the proxy is being closed; streams would log it
        finally:
            self._connections.discard(task)
            self._held.discard(writer)
            writer.close()

    async def open(self) -> asyncio.Server:
        """Starts to listen on a free port of this machine."""
        connector = aiohttp.TCPConnector(limit=0)
        self._session = aiohttp.ClientSession(connector=connector, auto_decompress=False)
        server = await asyncio.start_server(self.serve, "127.0.0.1", 0, limit=2**21, backlog=1024)
        self.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        return server

    async def close(self, server: asyncio.Server) -> None:
        """Breaks all connections."""
        server.close()
        for connection in list(self._connections):
            connection.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)
        await self._session.close()

    async def _call(self, request: Request, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """Answers one call, or spoils it. True when the connection can take another."""
        call = Call(request.operation, request.parameters, self.faults(request.operation))
        await self.record.note(call)
        if self._dark:
            await self._hold(writer)
        if gate := self._gates.get(call.operation):
            await gate.wait()
        if early := _instead(call.fault):
            call.status = early.status
            return await self._write(early, call, writer)
        if call.fault is Fault.DROP_BEFORE:
            return _reset(writer)
        if call.fault is Fault.SILENCE:
            await asyncio.sleep(SILENCE)
            return _reset(writer)
        answer = await self._pass_on(request, call)
        return await self._deliver(answer, call, reader, writer)

    async def _pass_on(self, request: Request, call: Call) -> Answer:
        headers = {name: value for name, value in request.headers.items() if name not in {"host", "connection"}}
        url = self._upstream + request.path
        timeout = aiohttp.ClientTimeout(total=None)
        call.passed_on = True
        await self.record.changed()
        async with self._session.request(
            request.method, url, data=request.body, headers=headers, timeout=timeout
        ) as response:
            answer = Answer(response.status, await response.read(), response.headers.get("Content-Type", ""))
        call.status = answer.status
        if call.operation == "GetActivityTask" and (token := document(answer.body).get("taskToken")):
            self.record.handed[token] += 1
            self.record.lost.add(token)  # until a worker has it
        await self.record.changed()
        return answer

    async def _deliver(
        self, answer: Answer, call: Call, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> bool:
        if self._dark:
            await self._hold(writer)
        if call.fault is Fault.DROP_AFTER:
            return _reset(writer)
        if call.fault is Fault.DELAY:
            await asyncio.sleep(DELAY)
        if call.fault is Fault.HALF_ANSWER:
            whole = answer.encoded()
            writer.write(whole[: len(whole) - len(answer.body) // 2 - 1])
            return False
        if reader.at_eof() or writer.is_closing():
            return False  # the worker has gone; what the poll brought is lost
        if call.operation == "GetActivityTask":
            answer = self._rewritten(answer)
            self.record.lost.discard(document(answer.body).get("taskToken", ""))
        return await self._write(answer, call, writer)

    def _rewritten(self, answer: Answer) -> Answer:
        found = document(answer.body)
        return Answer(answer.status, json.dumps(self.rewrite(found)).encode()) if "taskToken" in found else answer

    async def _write(self, answer: Answer, call: Call, writer: asyncio.StreamWriter) -> bool:
        try:
            writer.write(answer.encoded())
            await writer.drain()
        except ConnectionError:
            return False
        call.answered = time.monotonic()
        await self.record.changed()
        return True

    async def _hold(self, writer: asyncio.StreamWriter) -> None:
        """What has come into a black hole does not come out again, also when it has ended."""
        self._held.add(writer)
        await asyncio.Event().wait()


@asynccontextmanager
async def proxy_to(upstream: str, *, faults: Plan = no_faults) -> AsyncIterator[Proxy]:
    """A proxy that listens on 127.0.0.1 while entered."""
    proxy = Proxy(upstream, faults=faults)
    server = await proxy.open()
    try:
        yield proxy
    finally:
        await proxy.close(server)


def _instead(fault: Fault | None) -> Answer | None:
    if fault is Fault.SERVER_ERROR:
        return error(500, "InternalFailure", "injected")
    if fault is Fault.PAGE:  # of a load balancer that has lost its target
        return Answer(502, b"<html><h1>502 Bad Gateway</h1></html>", "text/html")
    if fault is Fault.THROTTLE:
        return error(400, "ThrottlingException", "Rate exceeded")
    if fault is Fault.KMS_DENIED:
        return error(400, "KmsAccessDeniedException", "The key of the activity cannot be used")
    return None


def _reset(writer: asyncio.StreamWriter) -> bool:
    """Breaks a connection as a dead peer does. Always False: it can take no other call."""
    found = writer.get_extra_info("socket")
    if found is not None and not writer.is_closing():
        found.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
    writer.transport.abort()
    return False
