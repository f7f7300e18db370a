"""Pages of lists that may grow while a client reads them: the page token names the last item seen, not a count."""

import base64
import binascii
from collections.abc import Callable, Iterable, Sequence
from itertools import islice
from typing import TypeVar

from workers.local.errors import invalid_token

Item = TypeVar("Item")
Key = int | str

DEFAULT_PAGE = 100
"""Items a page holds when the request names no `maxResults`, or 0 (API reference)."""


def page(
    items: Iterable[Item],
    key: Callable[[Item], Key],
    *,
    size: int | None,
    token: str | None,
    descending: bool = False,
) -> tuple[list[Item], str | None]:
    """Returns one page of `items`, which are sorted by `key`, and the token of the next page where there is one.

    `descending` says that the largest key comes first. Raises `ApiError` InvalidToken for a token of another list.
    """
    size = size or DEFAULT_PAGE
    if token is not None:
        last = _decode(token)
        items = (item for item in items if _follows(key(item), last, descending=descending))
    found = list(islice(items, size + 1))
    following = _encode(key(found[size - 1])) if len(found) > size else None
    return found[:size], following


def numbered_page(
    items: Sequence[Item], *, size: int | None, token: str | None, descending: bool = False
) -> tuple[list[Item], str | None]:
    """The same of items that are numbered from 1 on, which are the keys: those before the page are not walked over."""
    size = size or DEFAULT_PAGE
    seen = _decode(token) if token is not None else len(items) + 1 if descending else 0
    if not isinstance(seen, int):
        raise invalid_token()
    seen = min(max(seen, 0), len(items) + 1)
    if descending:
        last = max(seen - 1 - size, 0)
        return list(reversed(items[last : max(seen - 1, 0)])), _encode(last + 1) if last > 0 else None
    last = seen + size
    return list(items[seen:last]), _encode(last) if last < len(items) else None


def _follows(key: Key, last: Key, *, descending: bool) -> bool:
    if isinstance(key, int) and isinstance(last, int):
        return key < last if descending else key > last
    if isinstance(key, str) and isinstance(last, str):
        return key < last if descending else key > last
    raise invalid_token()


def _encode(key: Key) -> str:
    kind = "i" if isinstance(key, int) else "s"
    return base64.urlsafe_b64encode(f"{kind}{key}".encode()).decode()


def _decode(token: str) -> Key:
    try:
        text = base64.b64decode(token, altchars=b"-_", validate=True).decode()
        return int(text[1:]) if text.startswith("i") else text[1:]
    except (binascii.Error, ValueError):
        raise invalid_token() from None
