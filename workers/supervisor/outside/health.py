"""The health port: probes, metrics and running tasks over HTTP, from a thread of its own.

/livez    200 unless the event loop has been blocked for 30 seconds or its thread has ended. A drain, throttling or
          an outage of AWS is no reason to be killed.
/readyz   200 while the worker takes tasks of all its activities; else 503 and why.
/metrics  Prometheus.
/tasks    The running tasks with their stacks.
"""

import json
import socket
import socketserver
import threading
from collections.abc import Callable
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple, Self

import anyio.to_thread
import structlog

from workers.errors import UsageError
from workers.metrics import Metrics
from workers.supervisor.outside.snapshot import snapshot
from workers.supervisor.outside.status import Status
from workers.supervisor.outside.watchdog import Watchdog

log = structlog.get_logger(__name__)

_JSON = "application/json"
_SLOW_CLIENT = 5.0
"""Seconds after which a client that does not send its request is dropped."""
_STOP_WITHIN = 0.2


class Answer(NamedTuple):
    """What goes back for a request."""

    code: HTTPStatus
    body: bytes
    content_type: str = _JSON


class Health:
    """Serves the health port while entered.

    `port` 0 takes a free one; `port` then says which. `status` is asked at every request, from another thread.
    Raises `UsageError` at entry when the port cannot be had.
    """

    def __init__(
        self,
        *,
        port: int,
        host: str,
        status: Callable[[], Status],
        metrics: Metrics,
        watchdog: Watchdog,
        blocked_limit: float = 30.0,
    ) -> None:
        self.port = port
        self._host = host
        self._status = status
        self._metrics = metrics
        self._watchdog = watchdog
        self._blocked_limit = blocked_limit
        self._pages: dict[str, Callable[[str], Answer]] = {
            "/livez": self._livez,
            "/readyz": self._readyz,
            "/metrics": self._show_metrics,
            "/tasks": self._tasks,
        }

    async def __aenter__(self) -> Self:
        try:
            self._server = _Server(self._host, self.port, self.answer)
        except OSError as error:
            raise UsageError(
                f"the health port {self._host}:{self.port} cannot be opened ({error.strerror}): "
                "choose another --health-port or --health-host"
            ) from error
        self.port = self._server.server_address[1]
        thread = threading.Thread(target=self._server.serve_forever, args=(_STOP_WITHIN,), name="health", daemon=True)
        thread.start()
        log.info("health port open", host=self._host, port=self.port)
        return self

    async def __aexit__(self, *_: object) -> None:
        with anyio.CancelScope(shield=True):
            await anyio.to_thread.run_sync(self._server.shutdown)
        self._server.server_close()

    def answer(self, path: str, accept: str) -> Answer:
        """The page at `path`, for a client that accepts `accept`."""
        if page := self._pages.get(path.partition("?")[0]):
            return page(accept)
        return _json(HTTPStatus.NOT_FOUND, {"error": "no such page", "pages": list(self._pages)})

    def _livez(self, _: str) -> Answer:
        blocked = self._watchdog.blocked
        if blocked == float("inf"):
            return _json(HTTPStatus.SERVICE_UNAVAILABLE, {"alive": False, "why": "the event loop has ended"})
        alive = blocked < self._blocked_limit
        code = HTTPStatus.OK if alive else HTTPStatus.SERVICE_UNAVAILABLE
        return _json(code, {"alive": alive, "event_loop_blocked_seconds": round(blocked, 3)})

    def _readyz(self, _: str) -> Answer:
        status = self._status()
        code = HTTPStatus.OK if status.ready else HTTPStatus.SERVICE_UNAVAILABLE
        return _json(code, {"ready": status.ready, "phase": status.phase, "problems": dict(status.problems)})

    def _show_metrics(self, accept: str) -> Answer:
        if self._metrics.registry is None:
            message = "no metrics are kept: pip install 'sfn-workers[metrics]'\n"
            return Answer(HTTPStatus.NOT_IMPLEMENTED, message.encode(), "text/plain; charset=utf-8")
        return Answer(HTTPStatus.OK, *self._metrics.exposition(accept))

    def _tasks(self, _: str) -> Answer:
        return _json(HTTPStatus.OK, snapshot(self._status(), self._watchdog.loop_thread))


class _Server(ThreadingHTTPServer):
    """One thread a request, so that a slow client does not hide the worker from a probe."""

    daemon_threads = True

    def __init__(self, host: str, port: int, answer: Callable[[str, str], Answer]) -> None:
        self.answer = answer
        self.address_family = socket.AF_INET6 if ":" in host else socket.AF_INET
        super().__init__((host, port), _Request)

    def server_bind(self) -> None:
        """Binds without `HTTPServer`'s look-up of the host's full name, which can take seconds."""
        socketserver.TCPServer.server_bind(self)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away or was too slow."""


class _Request(BaseHTTPRequestHandler):
    server: _Server
    timeout = _SLOW_CLIENT

    def do_GET(self) -> None:
        try:
            answer = self.server.answer(self.path, self.headers.get("Accept", ""))
        except Exception:
            log.exception("health page failed", page=self.path)
            answer = _json(HTTPStatus.INTERNAL_SERVER_ERROR, {"error": "see the worker's log"})
        self.send_response(answer.code)
        self.send_header("Content-Type", answer.content_type)
        self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        self.wfile.write(answer.body)

    def version_string(self) -> str:
        return "workers"

    def log_message(self, format: str, *values: object) -> None:  # noqa: A002 - the name in the standard library
        """A probe every few seconds is nothing to write home about."""


def _json(code: HTTPStatus, value: object) -> Answer:
    return Answer(code, json.dumps(value, indent=2).encode() + b"\n")
