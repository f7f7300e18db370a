"""One payload, for a person to look at."""

import hashlib
import json
from collections.abc import AsyncIterator
from typing import Any

from workers.errors import UsageError
from workers.payloads.claim import CLAIM_KEY, Claim, Encoding
from workers.payloads.codec import unpack
from workers.payloads.errors import PayloadCorruptError
from workers.payloads.payloads import Payloads
from workers.payloads.store import key_below
from workers.payloads.streams import PayloadStream

_MAGIC = {b"\x1f\x8b": Encoding.JSON_GZIP, b"\x28\xb5\x2f\xfd": Encoding.JSON_ZSTD}
LIMIT = 1 << 30
"""Bytes of the largest document that is shown."""


def store_of(target: str) -> tuple[str, Claim | str]:
    """The URL of the store that `target`, a claim as JSON or the URI of a payload, lies in, and what it names.

    Raises `UsageError` or `PayloadMalformedError`.
    """
    found: Claim | str = target
    if target.lstrip().startswith("{"):
        try:
            given = json.loads(target)
        except ValueError as error:
            raise UsageError(f"the claim is not JSON: {error}") from None
        if CLAIM_KEY not in given:
            raise UsageError(f"the JSON object is no claim: it has no {CLAIM_KEY!r}")
        found = Claim.from_json(given)
    uri = found.uri if isinstance(found, Claim) else found
    url = uri.rsplit("/", 2)[0]
    if key_below(url, uri) is None:
        raise UsageError(f"{uri!r} is neither a claim nor the URI of a payload, STORE/DATE/NAME")
    return url, found


async def contents(url: str, found: Claim | str, payloads: Payloads) -> AsyncIterator[bytes]:
    """The bytes of a payload: JSON indented for reading, or a stream as it is. Where there is a hash, it is checked."""
    key = key_below(url, found.uri if isinstance(found, Claim) else found) or ""
    if isinstance(found, Claim):
        value = await payloads.reload(found.to_json())
    elif "/stream-" in found:
        value = PayloadStream(_read(payloads, key))
    else:
        value = await _document(payloads, key, found)
    if isinstance(value, PayloadStream):
        async for piece in value:
            yield piece
    else:
        yield json.dumps(value, ensure_ascii=False, indent=2).encode() + b"\n"


async def _read(payloads: Payloads, key: str) -> AsyncIterator[bytes]:
    async with payloads.store.read(key) as pieces:
        async for piece in pieces:
            yield piece


async def _document(payloads: Payloads, key: str, uri: str) -> Any:
    """A document of which only the URI is known: its hash is in its name, its encoding in its first bytes."""
    stored = await payloads.store.get(key, LIMIT)
    if hashlib.sha256(stored).hexdigest() != uri.rsplit("/", 1)[-1]:
        raise PayloadCorruptError(f"{uri} is not what was offloaded: its hash differs from its name")
    encoding = next((kind for magic, kind in _MAGIC.items() if stored.startswith(magic)), Encoding.JSON)
    try:
        return json.loads(unpack(stored, encoding, limit=LIMIT, uri=uri))
    except ValueError as error:
        raise PayloadCorruptError(f"{uri} is not JSON: {error}") from None
