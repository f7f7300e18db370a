"""Who may ask, and from where: bearer tokens, hosts, other sites; and the headers that each answer has."""

import hashlib
import hmac
import secrets
from collections.abc import Iterable
from enum import Enum
from ipaddress import ip_address

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from workers.errors import UsageError
from workers.manager.api.answers import refuse

_READS = {"GET", "HEAD", "OPTIONS"}
_OPEN = {"/_health", "/livez"}
_CALLBACKS = "/callbacks/"
_LEAST = 16
"""Characters that a token must have: it is all that protects the service."""
_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
}
_POLICY = "default-src 'none'; frame-ancestors 'none'"


class Right(Enum):
    """What a token allows."""

    CALLBACK = 1
    """Finishing tasks by their keys, and nothing else."""
    READ = 2
    WRITE = 3


class Tokens:
    """The bearer tokens that are accepted; those in `read_only` only for reading, in `callbacks` for callbacks."""

    def __init__(
        self, tokens: Iterable[str] = (), read_only: Iterable[str] = (), callbacks: Iterable[str] = ()
    ) -> None:
        given = {Right.WRITE: tokens, Right.READ: read_only, Right.CALLBACK: callbacks}
        self._known = [(_digest(token), right) for right, some in given.items() for token in some]
        known = sorted(digest for digest, _ in self._known)
        self.secret = hashlib.sha256(b"".join(known)).digest() if known else secrets.token_bytes(32)
        """What all processes with the same tokens know, and nobody else."""

    def __bool__(self) -> bool:
        return bool(self._known)

    def rights(self, token: str) -> set[Right]:
        """What `token` allows, nothing if it is not known. All are compared, each in constant time."""
        digest = hashlib.sha256(token.encode(errors="replace")).digest()
        return {right for known, right in self._known if hmac.compare_digest(known, digest)}

    def signature(self, token: str, text: str) -> str:
        """What only who knows `token`, or its hash, can say of `text`."""
        return _signature(hashlib.sha256(token.encode(errors="replace")).digest(), text)

    def rights_of(self, text: str, signature: str) -> set[Right]:
        """The rights of the token that `text` was signed with; none for one that is not known. All are compared."""
        given = signature.encode(errors="replace")
        return {right for known, right in self._known if hmac.compare_digest(_signature(known, text).encode(), given)}


def _signature(digest: bytes, text: str) -> str:
    return hmac.new(digest, text.encode(errors="replace"), hashlib.sha256).hexdigest()


def _digest(token: str) -> bytes:
    if len(token) < _LEAST or not token.isascii() or not token.isprintable() or " " in token:
        raise UsageError(f"a token needs {_LEAST} characters at least, of ASCII and without spaces: make a longer one")
    return hashlib.sha256(token.encode()).digest()


class Guard:
    """Refuses who may not ask, and adds security headers to every answer.

    Without tokens, the service stands on this machine only, and browsers on it must not be led there: requests from
    other sites, and under names that are not this machine's, are refused (`any_host`: but for that).
    """

    def __init__(self, app: ASGIApp, *, tokens: Tokens, any_host: bool = False) -> None:
        self._app = app
        self._tokens = tokens
        self._any_host = any_host

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """See ASGI."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    headers.setdefault(name, value)
                headers.setdefault("Content-Security-Policy", _POLICY)
                headers.setdefault("Cache-Control", "no-store")
            await send(message)

        refusal = None if scope["path"] in _OPEN else self._refusal(scope)
        await (refusal or self._app)(scope, receive, guarded)

    def _refusal(self, scope: Scope) -> Response | None:
        headers = Headers(scope=scope)
        if not (self._tokens or self._any_host) and not is_here(headers.get("host", "")):
            return refuse(
                403, f"Host: {headers.get('host')!r} is not this machine: set tokens to be reached from others"
            )
        if scope["method"] not in _READS and from_elsewhere(headers):
            return refuse(403, "Origin: a page of another site asks, and may not")
        return self._without_right(scope, headers) if self._tokens else None

    def _without_right(self, scope: Scope, headers: Headers) -> Response | None:
        scheme, _, token = headers.get("authorization", "").partition(" ")
        rights = self._tokens.rights(token.strip()) if scheme.lower() == "bearer" else set()
        if not rights:
            message = "Authorization: send a known token, as in `Authorization: Bearer TOKEN`"
            return refuse(401, message, headers={"WWW-Authenticate": "Bearer"})
        if Right.WRITE in rights or (Right.CALLBACK in rights and scope["path"].startswith(_CALLBACKS)):
            return None
        if Right.READ not in rights:
            return refuse(403, "Authorization: this token may only finish callbacks")
        return None if scope["method"] in _READS else refuse(403, "Authorization: this token may only read")


def is_here(host: str) -> bool:
    """Whether a request's Host is this machine's own name."""
    name = host.rpartition(":")[0] if host.rpartition(":")[2].isdecimal() else host
    return name == "localhost" or is_loopback(name.strip("[]"))


def is_loopback(address: str) -> bool:
    """Whether an address, or `localhost`, is this machine's own."""
    try:
        return address == "localhost" or ip_address(address).is_loopback
    except ValueError:
        return False


def from_elsewhere(headers: Headers) -> bool:
    """Whether a browser sends the request for a page of another site."""
    if headers.get("sec-fetch-site", "none") in {"cross-site", "same-site"}:
        return True
    origin = headers.get("origin")
    return origin is not None and origin.partition("://")[2] != headers.get("host")
