"""Requests to the manager's REST API: sent, repeated where that does no harm, and their refusals raised."""

import json
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any, Self, TypeVar

import aiohttp
import anyio
from pydantic import ValidationError

from workers.backoff import Backoff
from workers.errors import UsageError
from workers.manager.errors import (
    AwsDeniedError,
    ConflictError,
    InvalidError,
    ManagerError,
    NotFoundError,
    TooLargeError,
    UnavailableError,
)
from workers.manager.model import Model
from workers.version import __version__

M = TypeVar("M", bound=Model)

QueryParts = Mapping[str, str] | Sequence[tuple[str, str]]

_REPEATS = 4
_RECONNECTS = 12
"""How often in a row a stream is taken up again: for about half a minute."""
_STATUSES: Mapping[int, type[ManagerError]] = {
    404: NotFoundError,
    409: ConflictError,
    413: TooLargeError,
    424: AwsDeniedError,
}
_READS = {"GET", "HEAD"}


class Transport:
    """The service at `url`. `timeout`: seconds for one request."""

    def __init__(self, url: str, *, token: str | None, timeout: float) -> None:
        if not url.startswith(("http://", "https://")):
            raise UsageError(f"{url!r} is no URL of a workflow manager: write http://HOST:PORT")
        self._url = url.rstrip("/")
        self._headers = {"User-Agent": f"sfn-workers/{__version__}", "X-Client-Version": __version__}
        if token:
            self._headers["Authorization"] = f"Bearer {token}"
        self._timeout = aiohttp.ClientTimeout(total=timeout)
        self._session: aiohttp.ClientSession | None = None

    async def open(self) -> Self:
        """Gets ready to hold connections."""
        self._session = aiohttp.ClientSession(headers=self._headers, timeout=self._timeout)
        return self

    async def close(self) -> None:
        """Closes the connections."""
        if self._session:
            await self._session.close()
        self._session = None

    async def one(self, kind: type[M], method: str, path: str, body: Any = None, **options: Any) -> M:
        """The one thing in the answer."""
        _, found = await self.send(method, path, body, **options)
        return self._as(kind, found)

    async def many(self, kind: type[M], path: str, query: QueryParts | None = None) -> list[M]:
        """The list in the answer."""
        _, found = await self.send("GET", path, query=query)
        return self.as_list(kind, found)

    def as_list(self, kind: type[M], found: Any) -> list[M]:
        """The things in a list. Raises `UnavailableError` for what no workflow manager answers."""
        return [self._as(kind, item) for item in (found if isinstance(found, list) else [found])]

    def _as(self, kind: type[M], found: Any) -> M:
        try:
            return kind.model_validate(found)
        except ValidationError:
            said = json.dumps(found, ensure_ascii=False)[:200]
            raise UnavailableError(f"{self._url} answers what no workflow manager does: {said}") from None

    async def send(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        query: QueryParts | None = None,
        headers: Mapping[str, str] | None = None,
        repeat: bool | None = None,
    ) -> tuple[Mapping[str, str], Any]:
        """The headers and the document of the answer; None for no document.

        `repeat`: whether asking twice does no harm; by default where it only reads. Raises `ManagerError`.
        """
        repeat = method in _READS if repeat is None else repeat
        backoff = Backoff(initial=0.2, maximum=3.0)
        while True:
            try:
                return await self._sent(method, path, body, query, headers)
            except UnavailableError:
                if not repeat or backoff.failures >= _REPEATS:
                    raise
            await anyio.sleep(backoff.next())

    async def _sent(
        self,
        method: str,
        path: str,
        body: Any,
        query: QueryParts | None,
        headers: Mapping[str, str] | None,
    ) -> tuple[Mapping[str, str], Any]:
        data = None if body is None else json.dumps(body, ensure_ascii=False).encode()
        sent = {"Content-Type": "application/json", **(headers or {})}
        try:
            request = self._open.request(method, self._url + path, data=data, params=query, headers=sent)
            async with request as response:
                text = await response.text(errors="replace")
                if response.status < 400:
                    return response.headers, json.loads(text) if text else None
                raise _refusal(response.status, text)
        except (aiohttp.ClientError, TimeoutError, json.JSONDecodeError) as error:
            reason = str(error) or type(error).__name__
            raise UnavailableError(f"the workflow manager at {self._url} does not answer: {reason}") from error

    async def events(self, path: str) -> AsyncIterator[str]:
        """The data of server-sent events, over connections that break: each goes on where the one before ended.

        Raises `UnavailableError` when the service does not come back.
        """
        backoff, last = Backoff(initial=0.2, maximum=5.0), ""
        while True:
            try:
                async for name, value in self._fields(path, {"Last-Event-ID": last} if last else {}):
                    backoff.reset()
                    if name == "id":
                        last = value
                    elif name == "data":
                        yield value
            except UnavailableError:
                if backoff.failures >= _RECONNECTS:
                    raise
            await anyio.sleep(backoff.next())

    async def _fields(self, path: str, headers: Mapping[str, str]) -> AsyncIterator[tuple[str, str]]:
        """The fields of a stream of events: its lines, of any length, that are no comments."""
        limits = aiohttp.ClientTimeout(total=None, sock_connect=10, sock_read=60)
        rest = b""
        try:
            async with self._open.get(self._url + path, timeout=limits, headers=headers) as response:
                if response.status >= 400:
                    raise _refusal(response.status, await response.text(errors="replace"))
                async for part in response.content.iter_any():
                    *lines, rest = (rest + part).split(b"\n")
                    for line in lines:
                        name, _, value = line.decode().partition(": ")
                        if name:
                            yield name, value
        except (aiohttp.ClientError, TimeoutError) as error:
            raise UnavailableError(f"the workflow manager at {self._url} does not answer any more: {error}") from error

    @property
    def _open(self) -> aiohttp.ClientSession:
        if self._session is None:
            raise UsageError("the client is not open: use it within `async with Client(…)`")
        return self._session


def _refusal(status: int, text: str) -> ManagerError:
    """The error that an answer stands for, in the service's own words."""
    try:
        document = json.loads(text)
        message, problems = str(document["message"]), document.get("problems", ())
    except (ValueError, KeyError, TypeError):
        message, problems = f"the service answered {status}: {text[:200]}", ()
    if status >= 500 or status == 429:
        return UnavailableError(message)
    kind = _STATUSES.get(status, InvalidError)
    return kind(message, problems=problems) if issubclass(kind, InvalidError) else kind(message)
