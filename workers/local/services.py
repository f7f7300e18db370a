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

from workers.errors import MissingExtraError
from workers.local.http.messages import Answer, Request

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
            _call(_environ(Request("POST", "/moto-api/reset"), self._port))

    async def answer(self, request: Request) -> Answer:
        """Returns moto's answer to `request`. Raises `MissingExtraError` where moto is not installed."""
        if find_spec("moto") is None:
            raise MissingExtraError("the embedded AWS (S3, SQS, DynamoDB, …)", "local-aws")
        if request.header("x-amz-target") == _PUT_RULE:
            self.has_rules = True
        return await self._answer(request)

    async def ask(self, target: str, parameters: dict[str, Any], region: str) -> Answer:
        """The answer to a request of the engine's own; `target`: service and operation, as in `X-Amz-Target`."""
        headers = [
            ("Content-Type", "application/x-amz-json-1.1"),
            ("X-Amz-Target", target),
            ("Authorization", f"AWS4-HMAC-SHA256 Credential=local/20200101/{region}/events/aws4_request"),
            ("Host", f"127.0.0.1:{self._port}"),
        ]
        return await self._answer(Request("POST", "/", headers, json.dumps(parameters).encode()))

    async def _answer(self, request: Request) -> Answer:
        async with self._limiter:
            return await _in_thread(_environ(request, self._port))


async def _in_thread(environ: Environ) -> Answer:
    """Lets moto answer in a thread that nobody has to wait for: an SQS long poll must not delay the end."""
    loop = asyncio.get_running_loop()
    answer: asyncio.Future[Answer] = loop.create_future()

    def finish(response: Answer | None, error: Exception | None) -> None:
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


def _call(environ: Environ) -> Answer:
    from werkzeug.test import run_wsgi_app

    with _lock:
        application = _application()
    with _alone(environ):
        chunks, status, headers = run_wsgi_app(application, environ, buffered=True)
    return Answer(int(status.split(maxsplit=1)[0]), b"".join(chunks), list(headers))


def _alone(environ: Environ) -> AbstractContextManager[object]:
    """What a request has to hold while it is answered."""
    return _dynamodb if environ.get("HTTP_X_AMZ_TARGET", "").startswith("DynamoDB_") else nullcontext()


def _environ(request: Request, port: int) -> Environ:
    """The WSGI environment of a request (PEP 3333), as werkzeug's own server makes it."""
    from moto.core.request import (
        PRESERVED_HEADER_NAMES_ENVIRON_KEY,
        environ_key_for_header,
        should_preserve_original_header_name,
    )

    raw_path, _, query = request.target.partition("?")
    environ: Environ = {
        "REQUEST_METHOD": request.method,
        "SCRIPT_NAME": "",
        "PATH_INFO": unquote_to_bytes(raw_path.encode("utf-8", "surrogateescape")).decode("latin-1"),
        "QUERY_STRING": query,
        "RAW_URI": request.target,
        "REQUEST_URI": request.target,
        "SERVER_NAME": "127.0.0.1",
        "SERVER_PORT": str(port),
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "127.0.0.1",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(request.body),
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }
    preserved: dict[str, str] = {}
    for name, value in request.headers:
        if name.lower() == "transfer-encoding":  # the body is here in one piece
            continue
        if "_" in name:  # dropped by servers, because WSGI confuses them with dashes; S3 metadata may have them
            if not should_preserve_original_header_name(name):
                continue
            preserved[environ_key_for_header(name)] = name
        key = environ_key_for_header(name)
        environ[key] = f"{environ[key]},{value}" if key in environ else value
    environ["CONTENT_LENGTH"] = str(len(request.body))
    environ[PRESERVED_HEADER_NAMES_ENVIRON_KEY] = preserved
    return environ
