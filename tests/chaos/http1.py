"""As much of HTTP/1.1 as AWS's JSON protocol needs: requests and answers with a Content-Length, on streams."""

import asyncio
import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs

_REASONS = {200: "OK", 400: "Bad Request", 500: "Internal Server Error", 502: "Bad Gateway"}


@dataclass(frozen=True)
class Request:
    """A request as it came in."""

    method: str
    path: str
    headers: dict[str, str]
    """Names in lower case."""
    body: bytes

    @property
    def operation(self) -> str:
        """What it asks for, such as GetActivityTask."""
        if target := self.headers.get("x-amz-target"):
            return target.rpartition(".")[2]
        return parse_qs(self.body.decode(errors="replace")).get("Action", [self.path])[0]

    @property
    def parameters(self) -> dict[str, Any]:
        """The members of its JSON body; none for a body of another form."""
        return document(self.body)


@dataclass(frozen=True)
class Answer:
    """An answer on its way to a client."""

    status: int
    body: bytes
    content_type: str = "application/x-amz-json-1.0"

    def encoded(self) -> bytes:
        """The bytes that go over the wire."""
        head = (
            f"HTTP/1.1 {self.status} {_REASONS.get(self.status, 'Unknown')}\r\n"
            f"Content-Type: {self.content_type}\r\nContent-Length: {len(self.body)}\r\n\r\n"
        )
        return head.encode() + self.body


def error(status: int, code: str, message: str) -> Answer:
    """An error as AWS writes it."""
    return Answer(status, json.dumps({"__type": code, "message": message}).encode())


def document(body: bytes) -> dict[str, Any]:
    """A JSON object's members; none where the body is something else."""
    try:
        found = json.loads(body)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


async def read_request(reader: asyncio.StreamReader) -> Request | None:
    """The next request of a connection; None when its client has gone."""
    try:
        head = await reader.readuntil(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines if line)}
        body = await reader.readexactly(int(headers.get("content-length", 0)))
    except (asyncio.IncompleteReadError, ConnectionError):
        return None
    method, path, _ = first.split(" ", 2)
    return Request(method, path, headers, body)
