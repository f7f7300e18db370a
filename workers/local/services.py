"""The AWS services beside Step Functions: moto's, behind the same port.

moto answers as a WSGI application. It is loaded when it is asked for the first time, and runs in threads. What its
services hold belongs to the process: all engines of a process share it, and the last one to close empties it.
"""

import asyncio
import io
import json
import sys
import threading
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager, nullcontext, suppress
from functools import cache
from importlib.util import find_spec
from typing import Any
from urllib.parse import unquote_to_bytes

import anyio
from aiohttp import web
from aiohttp.web_request import BaseRequest

from workers.errors import MissingExtraError

Environ = dict[str, Any]
Application = Callable[..., Iterable[bytes]]

THREADS = 256
"""Requests that moto may work on at once; an SQS long poll holds one for as long as it waits."""

_PUT_RULE = "AWSEvents.PutRule"
_open: list[int] = []
_lock = threading.Lock()
_dynamodb = threading.Lock()
"""moto checks the condition of a write and then writes: in two threads at once, two such writes both succeed."""


class OtherServices:
    """S3, SQS, DynamoDB, STS, IAM, EventBridge, CloudWatch and whatever else is installed with moto."""

    has_rules = False
    """Whether anybody has put a rule of EventBridge: before that, nobody hears of events."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._limiter = anyio.CapacityLimiter(THREADS)

    def open(self) -> None:
        """Counts this engine as one that uses the services."""
        with _lock:
            _open.append(self._port)

    def close(self) -> None:
        """Empties the services, unless another engine of this process still uses them."""
        with _lock:
            _open.remove(self._port)
            if _open:
                return
        if "moto.moto_server" in sys.modules:
            _call(_environ("POST", "/moto-api/reset", {}, b"", self._port))

    async def answer(self, request: BaseRequest) -> web.StreamResponse:
        """Returns moto's answer to `request`. Raises `MissingExtraError` where moto is not installed."""
        if find_spec("moto") is None:
            raise MissingExtraError("the embedded AWS (S3, SQS, DynamoDB, …)", "local-aws")
        if request.headers.get("Expect", "").lower() == "100-continue":  # SDKs ask before they send an object
            await request.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
            request.writer.output_size = 0
        body = await request.read()
        if request.headers.get("X-Amz-Target") == _PUT_RULE:
            self.has_rules = True
        environ = _environ(request.method, request.raw_path, request.headers, body, self._port)
        async with self._limiter:
            return await _in_thread(environ)

    async def ask(self, target: str, parameters: dict[str, Any], region: str) -> web.Response:
        """The answer to a request of the engine's own; `target`: service and operation, as in `X-Amz-Target`."""
        headers = {
            "Content-Type": "application/x-amz-json-1.1",
            "X-Amz-Target": target,
            "Authorization": f"AWS4-HMAC-SHA256 Credential=local/20200101/{region}/events/aws4_request",
            "Host": f"127.0.0.1:{self._port}",
        }
        environ = _environ("POST", "/", headers, json.dumps(parameters).encode(), self._port)
        async with self._limiter:
            return await _in_thread(environ)


async def _in_thread(environ: Environ) -> web.Response:
    """Lets moto answer in a thread that nobody has to wait for: an SQS long poll must not delay the end."""
    loop = asyncio.get_running_loop()
    answer: asyncio.Future[web.Response] = loop.create_future()

    def finish(response: web.Response | None, error: Exception | None) -> None:
        if answer.cancelled():
            return
        if response is not None:
            answer.set_result(response)
        elif error is not None:
            answer.set_exception(error)

    def work() -> None:
        response, failure = None, None
        try:
            response = _call(environ)
        except Exception as error:  # noqa: BLE001 - raised where the answer is awaited
            failure = error
        with suppress(RuntimeError):  # the loop is closed: nobody awaits the answer any more
            loop.call_soon_threadsafe(finish, response, failure)

    threading.Thread(target=work, name="moto", daemon=True).start()
    return await answer


@cache
def _application() -> Application:
    from moto.core.config import default_user_config
    from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app

    default_user_config["batch"] = {"use_docker": False}  # jobs of AWS Batch succeed at once, and run nothing
    application: Application = DomainDispatcherApplication(create_backend_app)
    return application


def _call(environ: Environ) -> web.Response:
    from werkzeug.test import run_wsgi_app

    with _lock:
        application = _application()
    with _alone(environ):
        chunks, status, headers = run_wsgi_app(application, environ, buffered=True)
    return web.Response(body=b"".join(chunks), status=int(status.split(maxsplit=1)[0]), headers=list(headers))


def _alone(environ: Environ) -> AbstractContextManager[object]:
    """What a request has to hold while it is answered."""
    return _dynamodb if environ.get("HTTP_X_AMZ_TARGET", "").startswith("DynamoDB_") else nullcontext()


def _environ(method: str, path: str, headers: Any, body: bytes, port: int) -> Environ:
    """The WSGI environment of a request (PEP 3333), as werkzeug's own server makes it."""
    from moto.core.request import (
        PRESERVED_HEADER_NAMES_ENVIRON_KEY,
        environ_key_for_header,
        should_preserve_original_header_name,
    )

    raw_path, _, query = path.partition("?")
    environ: Environ = {
        "REQUEST_METHOD": method,
        "SCRIPT_NAME": "",
        "PATH_INFO": unquote_to_bytes(raw_path).decode("latin-1"),
        "QUERY_STRING": query,
        "RAW_URI": path,
        "REQUEST_URI": path,
        "SERVER_NAME": "127.0.0.1",
        "SERVER_PORT": str(port),
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "127.0.0.1",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(body),
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }
    preserved: dict[str, str] = {}
    for name, value in headers.items():
        if name.lower() == "transfer-encoding":  # the body is here in one piece
            continue
        if "_" in name:  # dropped by servers, because WSGI confuses them with dashes; S3 metadata may have them
            if not should_preserve_original_header_name(name):
                continue
            preserved[environ_key_for_header(name)] = name
        key = environ_key_for_header(name)
        environ[key] = f"{environ[key]},{value}" if key in environ else value
    environ["CONTENT_LENGTH"] = str(len(body))
    environ[PRESERVED_HEADER_NAMES_ENVIRON_KEY] = preserved
    return environ
