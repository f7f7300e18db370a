"""Reloading: claims leave a document, the values they stand for take their places."""

import hashlib
import json
from collections.abc import AsyncIterator, Collection, Sequence
from typing import Any

import anyio
import anyio.to_thread

from workers.payloads.claim import (
    CLAIM_KEY,
    OBJECT_KEY,
    Claim,
    Encoding,
    additions,
    is_escaped,
    looks_like_claim,
)
from workers.payloads.codec import unpack
from workers.payloads.document import Draft, Place, nodes
from workers.payloads.errors import (
    PayloadCorruptError,
    PayloadForbiddenError,
    PayloadMalformedError,
    PayloadNestedError,
    PayloadTooLargeError,
)
from workers.payloads.limits import Limits
from workers.payloads.store import Store, key_below
from workers.payloads.streams import PayloadStream, verified
from workers.payloads.together import side_by_side

_HEAVY = 1 << 19
"""Bytes from which hashing is done in a thread, where it does not hold the interpreter."""


class Reload:
    """Reads what claims point to, from `stores` only, at most `limiter` at once."""

    def __init__(self, stores: Sequence[Store], limits: Limits, limiter: anyio.CapacityLimiter) -> None:
        self._stores = stores
        self._limits = limits
        self._limiter = limiter

    async def __call__(self, document: Any, streams: Collection[Place], opened: list[PayloadStream]) -> Any:
        """`document` with loaded values in the places of its claims, or `document` itself when it has none.

        Claims on streams, and all claims at the places `streams`, become `PayloadStream`s, added to `opened`.
        Every claim is checked before anything is read.
        """
        found = _Found(document)
        if not found.claims and not found.escaped:
            return document
        as_streams = {
            place for place, claim in found.claims.items() if claim.encoding is Encoding.BYTES or place in streams
        }
        wanted = {place: claim for place, claim in found.claims.items() if place not in as_streams}
        located = {claim.uri: self._locate(claim) for claim in found.claims.values()}
        self._check(found.claims, as_streams)
        values = await self._load(wanted, located)
        for place in as_streams:
            values[place] = self._stream(found.claims[place], *located[found.claims[place].uri])
            opened.append(values[place])
        return found.filled(values)

    async def get(self, claim: Claim) -> bytes:
        """The bytes of the JSON document that `claim` stands for."""
        self._check({(): claim}, ())
        return await self._data(claim, *self._locate(claim))

    def _locate(self, claim: Claim) -> tuple[Store, str]:
        for store in self._stores:
            if key := key_below(store.url, claim.uri):
                if claim.encoding is not Encoding.BYTES and not key.endswith(claim.sha256):
                    raise PayloadMalformedError(f"the claim on {claim.uri} names another hash than its uri")
                return store, key
        allowed = ", ".join(store.url for store in self._stores)
        raise PayloadForbiddenError(f"a claim points to {claim.uri!r:.300}, which is no payload below {allowed}")

    def _check(self, claims: dict[Place, Claim], as_streams: Collection[Place]) -> None:
        total = 0
        for place, claim in claims.items():
            name = "max_stream" if place in as_streams else "max_object"
            limit = getattr(self._limits, name)
            if claim.size > limit:
                raise PayloadTooLargeError(f"{claim.uri} has {claim.size:,} bytes, over {name}, {limit:,}")
            total += 0 if place in as_streams else claim.size
        if total > self._limits.max_document:
            raise PayloadTooLargeError(
                f"the payloads of one document have {total:,} bytes, over max_document, {self._limits.max_document:,}"
            )

    async def _load(self, wanted: dict[Place, Claim], located: dict[str, tuple[Store, str]]) -> dict[Place, Any]:
        """The values of `wanted`; each object is read once, and decoded once for each place."""
        places: dict[Claim, list[Place]] = {}
        for place, claim in wanted.items():
            places.setdefault(claim, []).append(place)
        values: dict[Place, Any] = {}
        left = self._limits.max_document

        async def load(claim: Claim) -> None:
            nonlocal left
            data = await self._data(claim, *located[claim.uri])
            left -= len(data) * len(places[claim])
            if left < 0:
                raise PayloadTooLargeError(
                    f"the payloads of one document unpack to more than max_document, {self._limits.max_document:,}"
                )
            for place in places[claim]:
                values[place] = _decoded(data, claim)

        async with side_by_side() as group:
            for claim in places:
                group.start_soon(load, claim)
        return values

    async def _data(self, claim: Claim, store: Store, key: str) -> bytes:
        """The bytes that `claim` stands for, verified and unpacked."""
        try:
            async with self._limiter:
                stored = await store.get(key, claim.size)
        except PayloadTooLargeError as error:
            raise PayloadCorruptError(f"not what was offloaded: {error}, as its claim says") from None
        digest = (
            hashlib.sha256(stored) if len(stored) < _HEAVY else await anyio.to_thread.run_sync(hashlib.sha256, stored)
        )
        if len(stored) != claim.size or digest.hexdigest() != claim.sha256:
            raise PayloadCorruptError(f"{claim.uri} is not what was offloaded: length or hash differ")
        return unpack(stored, claim.encoding, limit=self._limits.max_object, uri=claim.uri)

    def _stream(self, claim: Claim, store: Store, key: str) -> PayloadStream:
        async def pieces() -> AsyncIterator[bytes]:
            if claim.encoding in {Encoding.BYTES, Encoding.JSON}:
                async with store.read(key) as stored:
                    async for piece in verified(claim, stored):
                        yield piece
            else:  # within max_object, like every document
                yield await self._data(claim, store, key)

        return PayloadStream.stored(claim, pieces())


class _Found:
    """The claims and escaped objects in a document."""

    def __init__(self, document: Any) -> None:
        self._document = document
        self.claims: dict[Place, Claim] = {}
        self.escaped: list[Place] = []
        self._additions: dict[Place, dict[str, Any]] = {}
        users_own: set[Place] = set()
        for place, node in nodes(document):
            if not looks_like_claim(node) or place in users_own:
                continue
            if is_escaped(node):
                self.escaped.append(place)
                users_own.add((*place, OBJECT_KEY))
                continue
            self.claims[place] = Claim.from_json(node)
            if added := additions(node):
                self._additions[place] = added

    def filled(self, values: dict[Place, Any]) -> Any:
        """The document with `values` in the places of its claims and with its escaped objects as they were."""
        draft = Draft(self._document)
        for place in sorted([*values, *self.escaped], key=len, reverse=True):
            if place not in values:
                draft[place] = draft[place][OBJECT_KEY]
            elif place in self._additions:
                draft[place] = self._joined(draft[place], values[place], place)
            else:
                draft[place] = values[place]
        return draft.document

    def _joined(self, node: dict[str, Any], value: Any, place: Place) -> Any:
        """What a `ResultPath` would have made of the value, had it not been offloaded."""
        if not isinstance(value, dict):
            added = ", ".join(self._additions[place])
            raise PayloadMalformedError(
                f"the claim on {self.claims[place].uri} was given {added}, but stands for {type(value).__name__}, "
                "to which nothing can be added"
            )
        return {**value, **additions(node)}


def _decoded(data: bytes, claim: Claim) -> Any:
    try:
        value = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise PayloadCorruptError(f"{claim.uri} is not JSON: {error}") from None
    if CLAIM_KEY.encode() not in data:
        return value
    found = _Found(value)
    if found.claims:
        raise PayloadNestedError(f"{claim.uri} holds a claim itself, which is not followed")
    return found.filled({})
