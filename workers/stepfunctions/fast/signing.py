"""Signature Version 4 for POSTs of JSON to one service, with the signing key kept for its day.

The rules are AWS's (General Reference, "Create a signed AWS API request"); the result is, byte for byte, what
botocore's `SigV4Auth` makes of the same headers.
"""

import hashlib
import hmac
from datetime import datetime
from typing import Protocol

_ALGORITHM = "AWS4-HMAC-SHA256"


class Credentials(Protocol):
    """What botocore calls frozen credentials."""

    access_key: str
    secret_key: str
    token: str | None


class Signer:
    """Signs requests to `path` of `host` for one region and service."""

    def __init__(self, *, host: str, path: str, region: str, service: str) -> None:
        self._host = host
        self._path = path
        self._region = region
        self._service = service
        self._key_of: tuple[str, str] = ("", "")
        self._key = b""

    def headers(
        self, body: bytes, *, target: str, content_type: str, credentials: Credentials, now: datetime
    ) -> dict[str, str]:
        """The headers that are signed, and `authorization`. `now` is the time in UTC, as AWS sees it."""
        stamp = now.strftime("%Y%m%dT%H%M%SZ")
        day = stamp[:8]
        signed = {"content-type": content_type, "host": self._host, "x-amz-date": stamp}
        if credentials.token:
            signed["x-amz-security-token"] = credentials.token
        signed["x-amz-target"] = target
        names = ";".join(signed)  # in alphabetical order, as they were put in
        canonical = (
            f"POST\n{self._path}\n\n"
            + "".join(f"{name}:{value}\n" for name, value in signed.items())
            + f"\n{names}\n{hashlib.sha256(body).hexdigest()}"
        )
        scope = f"{day}/{self._region}/{self._service}/aws4_request"
        to_sign = f"{_ALGORITHM}\n{stamp}\n{scope}\n{hashlib.sha256(canonical.encode()).hexdigest()}"
        signature = _hmac(self._signing_key(credentials.secret_key, day), to_sign).hex()
        signed["authorization"] = (
            f"{_ALGORITHM} Credential={credentials.access_key}/{scope}, SignedHeaders={names}, Signature={signature}"
        )
        return signed

    def _signing_key(self, secret: str, day: str) -> bytes:
        if self._key_of != (secret, day):
            key = f"AWS4{secret}".encode()
            for part in (day, self._region, self._service, "aws4_request"):
                key = _hmac(key, part)
            self._key, self._key_of = key, (secret, day)
        return self._key


def _hmac(key: bytes, text: str) -> bytes:
    return hmac.digest(key, text.encode(), "sha256")
