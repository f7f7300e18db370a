"""Forms that only our own pages can send: each has a key that belongs to a cookie of the browser.

The key is made of the cookie with a secret of the service. So neither a page of another site, which can send a form
with the cookie, nor one that sets the cookie, as those on other ports of this machine can, knows the key.
"""

import hashlib
import hmac
from collections.abc import Iterator, Mapping
from urllib.parse import parse_qsl

from starlette.requests import Request

FIELD = "form_key"
LARGEST = 16 * 2**20
"""Bytes of a form."""


class FormError(Exception):
    """A form that is not taken. `status`: of the answer."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class Form(Mapping[str, str]):
    """The fields of a form; of several with the same name, the last one, or all in `every()`."""

    def __init__(self, pairs: list[tuple[str, str]]) -> None:
        self._pairs = pairs
        self._last = dict(pairs)

    def __getitem__(self, name: str) -> str:
        return self._last[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._last)

    def __len__(self) -> int:
        return len(self._last)

    def every(self, name: str) -> list[str]:
        """All values of fields with that name, in their order."""
        return [value for key, value in self._pairs if key == name]


def form_key(secret: bytes, cookie: str) -> str:
    """The key of the forms of a browser."""
    return hmac.new(secret, f"form of the web page: {cookie}".encode(errors="replace"), hashlib.sha256).hexdigest()


async def read_form(request: Request, key: str) -> Form:
    """The form in a request. Raises `FormError` for one that does not have the key, or is none."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/x-www-form-urlencoded":
        raise FormError(415, "Only forms of these pages are taken here.")
    parts, size = [], 0
    async for part in request.stream():
        size += len(part)
        if size > LARGEST:
            raise FormError(413, f"The form has more than {LARGEST:,} bytes.")
        parts.append(part)
    try:
        pairs = parse_qsl(b"".join(parts).decode(), keep_blank_values=True, errors="strict", max_num_fields=1_000)
    except ValueError:
        raise FormError(400, "The form is no UTF-8 text, or has too many fields.") from None
    if any("\0" in text for pair in pairs for text in pair):
        raise FormError(400, "The form holds the character U+0000, which no text here can hold.")
    form = Form(pairs)
    if not hmac.compare_digest(form.get(FIELD, "").encode(), key.encode()):
        raise FormError(403, "This form is too old, or not from these pages: open it again and send it once more.")
    return form
