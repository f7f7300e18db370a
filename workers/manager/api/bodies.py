"""Request bodies: not too large, JSON whatever the Content-Type says, or YAML where it says so.

The first clients, and curl, send JSON under any Content-Type. What a browser may send from another site without
asking is refused by `workers.manager.api.guard`.
"""

import json
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from workers.machines.definition import parse
from workers.manager.api.answers import refuse

_WITH_BODY = {"POST", "PUT", "PATCH", "DELETE"}
_REPLACED = {b"content-type", b"content-length", b"transfer-encoding"}
_NO_TEXT = "holds the character U+0000, which no text here can hold"
_YAML = ("yaml", "x-yaml", "vnd.yaml")


class Bodies:
    """Reads the body of each request, up to `limit` bytes, and hands it on as JSON."""

    def __init__(self, app: ASGIApp, *, limit: int) -> None:
        self._app = app
        self._limit = limit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """See ASGI."""
        if scope["type"] == "http" and ("\0" in scope["path"] or b"%00" in scope["query_string"]):
            await refuse(400, f"the path or its query {_NO_TEXT}")(scope, receive, send)
            return
        if scope["type"] != "http" or scope["method"] not in _WITH_BODY:
            await self._app(scope, receive, send)
            return
        try:
            body = await self._read(receive)
            body = _checked(body, _subtype(scope))
        except _RefusedError as error:
            await refuse(error.status, str(error))(scope, receive, send)
            return
        headers = [(name, value) for name, value in scope["headers"] if name not in _REPLACED]
        headers += [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
        scope["headers"] = headers  # in place: what stands around reads the route that is written down in it
        await self._app(scope, _once(body, receive), send)

    async def _read(self, receive: Receive) -> bytes:
        parts, size = [], 0
        while True:
            message = await receive()
            if message["type"] != "http.request":
                raise _RefusedError(400, "the connection was closed before the body was complete")
            part = message.get("body", b"")
            size += len(part)
            if size > self._limit:
                raise _RefusedError(413, f"the body has more than {self._limit:,} bytes")
            parts.append(part)
            if not message.get("more_body"):
                return b"".join(parts)


class _RefusedError(Exception):
    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


def _subtype(scope: Scope) -> str:
    given = next((value for name, value in scope["headers"] if name == b"content-type"), b"")
    kind: str = given.decode("latin-1").partition(";")[0].strip().lower()
    return kind.partition("/")[2]


def _checked(body: bytes, subtype: str) -> bytes:
    """The body as JSON. Raises `_RefusedError` for what no text of ours can hold."""
    if not body.strip():
        return b""
    try:
        text = body.decode()
    except UnicodeDecodeError as error:
        raise _RefusedError(400, f"the body is no UTF-8 text: {error.reason} at byte {error.start}") from None
    document = _yaml(text) if subtype in _YAML else _json(text)
    if subtype in _YAML or "\\u" in text.lower():
        return _encoded(document)
    return body


def _json(text: str) -> Any:
    try:
        return json.loads(text, parse_constant=_no_constant)
    except RecursionError:
        raise _RefusedError(400, "the body is nested too deeply") from None
    except ValueError as error:
        raise _RefusedError(400, f"the body is no JSON: {error}") from None


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is no number")


def _yaml(text: str) -> Any:
    definition = parse(text, name="the body")
    if definition.data is None:
        raise _RefusedError(400, "; ".join(f"the body {problem.message}" for problem in definition.problems))
    return definition.data


def _encoded(document: Any) -> bytes:
    try:
        encoded = json.dumps(document, ensure_ascii=False, allow_nan=False).encode()
    except (ValueError, RecursionError):
        wrong = "half of a character (a lone surrogate), or a number that is infinite"
        raise _RefusedError(400, f"the body holds {wrong}") from None
    if b"\\u0000" in encoded.replace(b"\\\\", b""):
        raise _RefusedError(400, f"the body {_NO_TEXT}")
    return encoded


def _once(body: bytes, receive: Receive) -> Receive:
    """Gives the whole body, and then what else the client does."""
    given = False

    async def next_message() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return next_message
