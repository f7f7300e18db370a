"""Signature Version 4 for POSTs of JSON to one service, with what does not change kept for its day.

The rules are AWS's (General Reference, "Create a signed AWS API request"); the result is, byte for byte, what
botocore's `SigV4Auth` makes of the same headers.
"""

import hashlib
import hmac
import time
from typing import Protocol
from urllib.parse import quote

from botocore.utils import normalize_url_path

_ALGORITHM = "AWS4-HMAC-SHA256"


class Credentials(Protocol):
    """What botocore calls frozen credentials."""

    access_key: str
    secret_key: str
    token: str | None


class Signer:
    """Signs requests to `path` of `host` for one region and service, all of one content type."""

    def __init__(self, *, host: str, path: str, region: str, service: str, content_type: str) -> None:
        self._host = host
        self._path = quote(normalize_url_path(path), safe="/~")
        self._region = region
        self._service = service
        self._content_type = content_type
        self._second = -1
        self._stamp = ""
        self._signs_for: tuple[str, str, str | None, str] | None = None
        self._scope = ""
        self._hmac = hmac.new(b"", digestmod="sha256")
        self._requests: dict[str, _Request] = {}

    def lines(self, body: bytes, *, target: str, credentials: Credentials, now: float) -> str:
        """The header lines that are signed, and `authorization`. `now`: seconds since the epoch, as AWS sees them."""
        if self._second != (second := int(now)):
            self._second, self._stamp = second, time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(second))
        stamp = self._stamp
        wanted = (credentials.access_key, credentials.secret_key, credentials.token, stamp[:8])
        if self._signs_for != wanted:
            self._sign_for(*wanted)
        request = self._requests.get(target) or self._request(target, credentials)
        canonical = f"{request.before_date}{stamp}{request.after_date}{hashlib.sha256(body).hexdigest()}"
        hashed = hashlib.sha256(canonical.encode()).hexdigest()
        signature = self._hmac.copy()
        signature.update(f"{_ALGORITHM}\n{stamp}\n{self._scope}\n{hashed}".encode())
        return f"{request.lines_before_date}{stamp}{request.lines_after_date}{signature.hexdigest()}\r\n"

    def _sign_for(self, access_key: str, secret_key: str, token: str | None, day: str) -> None:
        key = f"AWS4{secret_key}".encode()
        for part in (day, self._region, self._service, "aws4_request"):
            key = hmac.digest(key, part.encode(), "sha256")
        self._hmac = hmac.new(key, digestmod="sha256")
        self._scope = f"{day}/{self._region}/{self._service}/aws4_request"
        self._requests.clear()
        self._signs_for = (access_key, secret_key, token, day)

    def _request(self, target: str, credentials: Credentials) -> "_Request":
        """What all requests of one operation share, for these credentials and this day."""
        signed = {"content-type": self._content_type, "host": self._host, "x-amz-date": "\0"}
        if credentials.token:
            signed["x-amz-security-token"] = credentials.token
        signed["x-amz-target"] = target
        names = ";".join(signed)  # in alphabetical order, as they were put in
        headers = "".join(f"{name}:{value}\n" for name, value in signed.items())
        lines = "".join(f"{name}: {value}\r\n" for name, value in signed.items())
        names_who = f"{_ALGORITHM} Credential={credentials.access_key}/{self._scope}, SignedHeaders={names}, Signature="
        made = _Request(f"POST\n{self._path}\n\n{headers}\n{names}\n", f"{lines}authorization: {names_who}")
        self._requests[target] = made
        return made


class _Request:
    """A canonical request and its header lines, each in two parts: before the date, and after it."""

    __slots__ = ("after_date", "before_date", "lines_after_date", "lines_before_date")

    def __init__(self, canonical: str, lines: str) -> None:
        self.before_date, _, self.after_date = canonical.partition("\0")
        self.lines_before_date, _, self.lines_after_date = lines.partition("\0")
