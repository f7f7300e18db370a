"""Offloading: values leave a document, claims take their places."""

import hashlib
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, TypeVar

import anyio
import anyio.to_thread
import structlog

from workers.payloads.choose import Choice
from workers.payloads.claim import CLAIM_KEY, Claim, Encoding, escaped, looks_like_claim
from workers.payloads.codec import pack
from workers.payloads.document import Draft, Place, encode, nodes
from workers.payloads.errors import PayloadNotJsonError, PayloadTooLargeError
from workers.payloads.limits import OUTPUT_LIMIT, Limits
from workers.payloads.store import Store, document_key
from workers.payloads.streams import PayloadStream, save
from workers.payloads.together import side_by_side

T = TypeVar("T")

log = structlog.get_logger(__name__)

_HEAVY = 1 << 19
"""Bytes from which work on a document is done in a thread, so that heartbeats are not kept waiting."""
_MARK = f'"{CLAIM_KEY}"'.encode()


class Offload:
    """Puts values into `store`, packed as `encoding` says, at most `limiter` at once."""

    def __init__(self, store: Store, encoding: Encoding, limits: Limits, limiter: anyio.CapacityLimiter) -> None:
        self._store = store
        self._encoding = encoding
        self._limits = limits
        self._limiter = limiter

    async def __call__(self, document: Any, choice: Choice) -> Any:
        """`document` with claims where `choice` asks for them. What is in it stays as it is: the result is a copy."""
        document, encoded = await self._encodable(document)
        if has_claims := _MARK in encoded:
            document = await self._light(len(encoded), partial(_escaped, document))
            encoded = encode(document)
        size = len(encoded)
        find = partial(choice.places, document, size, self._claim_size, has_claims=has_claims)
        places = await self._light(size, find)
        if places:
            document, size = await self._replaced(document, places)
        _warn(size)
        return await self._light(size, partial(_plain, document)) if has_claims else document

    async def _encodable(self, document: Any) -> tuple[Any, bytes]:
        """`document`, with a `Claim` in the place of each stream, and its bytes."""
        try:
            return document, encode(document)
        except PayloadNotJsonError:
            if not (streams := dict(_streams(document))):
                raise
        draft = Draft(document)

        async def store(place: Place, stream: PayloadStream) -> None:
            draft[place] = await save(stream, self._store, self._limits.max_stream)

        async with side_by_side() as group:
            for place, stream in streams.items():
                group.start_soon(store, place, stream)
        return draft.document, encode(draft.document)

    async def _replaced(self, document: Any, places: list[Place]) -> tuple[Any, int]:
        draft = Draft(document)
        values = [encode(draft[place]) for place in places]
        self._check(values)
        claims: dict[Place, Claim] = {}

        async def store(place: Place, value: bytes) -> None:
            async with self._limiter:
                claims[place] = await self.put(value)

        async with side_by_side() as group:
            for place, value in zip(places, values, strict=True):
                group.start_soon(store, place, value)
        for place, claim in claims.items():
            draft[place] = claim.to_json()
        return draft.document, len(encode(draft.document))

    def _check(self, values: list[bytes]) -> None:
        largest, total = max(map(len, values)), sum(map(len, values))
        if largest > self._limits.max_object:
            raise PayloadTooLargeError(
                f"a value of {largest:,} bytes is over max_object, {self._limits.max_object:,}: "
                "return it as a PayloadStream, or raise max_object here and where it is read"
            )
        if total > self._limits.max_document:
            raise PayloadTooLargeError(
                f"values of {total:,} bytes together are over max_document, {self._limits.max_document:,}: "
                "return them as PayloadStreams, or raise max_document here and where they are read"
            )

    async def put(self, value: bytes) -> Claim:
        """Writes `value`, the bytes of a JSON document, and returns the claim on it."""

        def packed() -> tuple[bytes, "hashlib._Hash"]:
            data = pack(value, self._encoding)
            return data, hashlib.sha256(data)

        data, digest = await self._light(len(value), packed)
        key = document_key(digest.hexdigest())
        await self._store.put(key, data, digest.digest())
        return Claim(uri=f"{self._store.url}/{key}", size=len(data), sha256=digest.hexdigest(), encoding=self._encoding)

    def _claim_size(self, size: int) -> int:
        """Bytes of a claim on a value of `size` bytes."""
        uri = f"{self._store.url}/{document_key('0' * 64)}"
        return len(encode(Claim(uri=uri, size=size, sha256="0" * 64, encoding=self._encoding)))

    @staticmethod
    async def _light(size: int, work: Callable[[], T]) -> T:
        """Does `work` on so many bytes where it keeps nobody waiting: at once when it is little."""
        return work() if size < _HEAVY else await anyio.to_thread.run_sync(work)


def _streams(document: Any) -> Iterator[tuple[Place, PayloadStream]]:
    for place, node in nodes(document, leaves=(PayloadStream,)):
        if isinstance(node, PayloadStream):
            yield place, node


def _escaped(document: Any) -> Any:
    """A copy whose objects that look like claims are wrapped; `Claim`s stay what they are."""
    draft = Draft(document)
    for place in sorted((place for place, node in nodes(document) if looks_like_claim(node)), key=len, reverse=True):
        draft[place] = escaped(draft[place])
    return draft.document


def _plain(document: Any) -> Any:
    """A copy in which each `Claim` is the object that stands for it."""
    draft = Draft(document)
    for place, node in nodes(document, leaves=(Claim,)):
        if isinstance(node, Claim):
            draft[place] = node.to_json()
    return draft.document


def _warn(size: int) -> None:
    for percent in (80, 50):
        if size * 100 >= OUTPUT_LIMIT * percent:
            log.warning(
                "output is close to the limit of Step Functions",
                over_percent=percent,
                bytes=size,
                limit=OUTPUT_LIMIT,
                advice="a ResultPath, Parallel or Map adds to it: offload more, or keep less",
            )
            return
