"""The service on a port: uvicorn, and an orderly end."""

import socket
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import anyio
import uvicorn
from starlette.applications import Starlette

from workers.errors import UsageError
from workers.manager.api.guard import Tokens, is_loopback
from workers.payloads.together import background

_GRACE = 10
"""Seconds that running requests get to finish."""
_BACKLOG = 1_024


class _Server(uvicorn.Server):
    """A server that says when it is ready, ends its streams when it stops, and leaves signals to others."""

    def __init__(self, config: uvicorn.Config, stopping: Callable[[], None] | None) -> None:
        super().__init__(config)
        self._stopping = stopping
        self.settled = anyio.Event()
        """Set when it answers, or has ended."""
        self.ended = anyio.Event()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Whoever runs the service hears signals."""
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Says when it is ready."""
        await super().startup(sockets)
        self.settled.set()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Ends streams first: they would last as long as their listeners."""
        if self._stopping:
            self._stopping()
        await super().shutdown(sockets)

    async def run_on(self, listener: socket.socket) -> None:
        """Serves until it is told to exit."""
        try:
            await self.serve([listener])
        finally:
            self.settled.set()
            self.ended.set()


@asynccontextmanager
async def serving(
    app: Starlette, *, host: str = "127.0.0.1", port: int = 0, stopping: Callable[[], None] | None = None
) -> AsyncIterator[str]:
    """Answers requests while the context is open; gives the URL. `port` 0 takes a free one.

    `stopping` is called when it begins to stop, to end streams, which would last as long as their listeners; by
    default the stream of changes of the app's manager.

    Raises `UsageError` for an address that cannot be had.
    """
    listener = _listen(host, port)
    port = listener.getsockname()[1]
    config = uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        lifespan="off",
        http="h11",  # of the two parsers the one that bounds request lines and headers (64 KiB)
        server_header=False,
        ws="none",
        timeout_graceful_shutdown=_GRACE,
        timeout_keep_alive=75,
    )
    manager: Any = getattr(app.state, "manager", None)
    server = _Server(config, stopping or (manager and manager.recent_changes.close))
    try:
        async with background() as group:
            group.start_soon(server.run_on, listener, name="serve requests")
            await server.settled.wait()
            try:
                yield f"http://{f'[{host}]' if ':' in host else host}:{port}"
            finally:
                server.should_exit = True
                with anyio.CancelScope(shield=True), anyio.move_on_after(_GRACE + 5):
                    await server.ended.wait()
    finally:
        listener.close()


def check_exposure(host: str, tokens: Tokens, *, no_auth: bool) -> None:
    """Raises `UsageError` where anybody on the network could start and stop workflows, and nobody said so."""
    if not (is_loopback(host) or tokens or no_auth):
        raise UsageError(
            f"{host} can be reached by others: set tokens (WORKERS_SERVE_TOKENS or --token-file), or say --no-auth"
        )


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # asyncio sends small parts at once (TCP_NODELAY) only where it sees that a socket is TCP's.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen(_BACKLOG)
    except (OSError, OverflowError) as error:
        listener.close()
        raise UsageError(f"{host}, port {port}, cannot be used: {error}. Choose another, or 0 for a free one") from None
    listener.setblocking(False)
    return listener
