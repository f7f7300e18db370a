"""A request as the engine sees it, and an answer as it goes out."""

import re
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from email.utils import formatdate
from functools import lru_cache
from http import HTTPStatus

_PHRASES = {status.value: status.phrase for status in HTTPStatus}
_OURS = {"connection", "content-length", "keep-alive", "transfer-encoding"}
"""Headers that say how an answer is sent, which only the connection knows."""
_NO_BODY = {204, 304}
_FORBIDDEN = re.compile(r"[\r\n\0]")
_LENGTH = "content-length"


@dataclass(slots=True)
class Request:
    """A whole request."""

    method: str
    target: str
    """The path and the query as they were sent."""
    headers: list[tuple[str, str]] = field(default_factory=list)
    """As they were sent, one that came twice twice."""
    body: bytes = b""

    @property
    def path(self) -> str:
        """The path as it was sent, without the query."""
        return self.target.partition("?")[0]

    def header(self, name: str) -> str:
        """The first header called `name`, which is given in lower case; empty where there is none."""
        return next((value for known, value in self.headers if known.lower() == name), "")


@dataclass(slots=True)
class Answer:
    """An answer, but for the headers that its connection adds."""

    status: int
    body: bytes = b""
    headers: list[tuple[str, str]] = field(default_factory=list)

    def encoded(self, *, head: bool, close: bool) -> tuple[bytes, bytes]:
        """What is sent: head and body. `head`: it answers a HEAD. `close`: it is the connection's last."""
        lines = [f"HTTP/1.1 {self.status} {_PHRASES.get(self.status, '')}", *self._lines(head=head)]
        if close:
            lines.append("Connection: close")
        text = "\r\n".join(lines) + "\r\n\r\n"
        body = b"" if head or self.status in _NO_BODY else self.body
        return text.encode("utf-8", "surrogateescape"), body

    def _lines(self, *, head: bool) -> Iterator[str]:
        length: int | str = len(self.body)
        dated = False
        for name, value in self.headers:
            known = name.lower()
            dated = dated or known == "date"
            if known == _LENGTH and head:
                length = value  # of the body that a GET would bring
            if known not in _OURS:
                yield _FORBIDDEN.sub(" ", f"{name}: {value}")
        if not dated:
            yield f"Date: {_date(int(time.time()))}"
        if self.status not in _NO_BODY:
            yield f"Content-Length: {length}"


@lru_cache(maxsize=1)
def _date(second: int) -> str:
    return formatdate(second, usegmt=True)
