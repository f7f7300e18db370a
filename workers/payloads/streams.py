"""Streams: payloads that never stand whole in a worker's memory.

A handler's parameter annotated `PayloadStream` is given one instead of a loaded value; a handler may return one,
made of a file or of anything that yields bytes. In documents a stream is a claim like any other, on an object
that is written and read in pieces.
"""

import asyncio
import hashlib
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Iterable, Iterator
from contextlib import aclosing, suppress
from pathlib import Path
from typing import Any, BinaryIO
from uuid import uuid4

import anyio
import anyio.to_thread
from pydantic import GetCoreSchemaHandler, TypeAdapter
from pydantic_core import CoreSchema, core_schema

from workers.payloads.claim import CLAIM_KEY, Claim, Encoding
from workers.payloads.document import Draft, encode, nodes
from workers.payloads.errors import PayloadCorruptError, PayloadNotJsonError, PayloadTooLargeError
from workers.payloads.store import Store, stream_key

Source = bytes | Path | AsyncIterable[bytes] | Iterable[bytes] | BinaryIO

_PIECE = 1 << 18


class PayloadStream:
    """Bytes in pieces, to be read once: by `async for`, by `for` in a handler's thread, by `read` or `save`.

    `source` is what a handler that returns a stream makes it of: the `Path` of a file, an open binary file, bytes, or
    an iterable of bytes, plain or asynchronous. It is read after the handler has returned, while its task still beats.
    """

    def __init__(self, source: Source) -> None:
        self.claim: Claim | None = None
        """Where its bytes are stored; None before they are. A stream with a claim is passed on without copying."""
        self._pieces = _pieces(source)
        self._rest = b""
        self._loop: asyncio.AbstractEventLoop | None = None

    @classmethod
    def stored(cls, claim: Claim, pieces: AsyncIterator[bytes]) -> "PayloadStream":
        """The stream of a stored payload, given its verified `pieces`. Made in the event loop they belong to."""
        stream = cls(pieces)
        stream.claim = claim
        stream._loop = asyncio.get_running_loop()
        return stream

    @property
    def size(self) -> int | None:
        """Bytes, where they are known before they are read."""
        known = self.claim and self.claim.encoding in {Encoding.BYTES, Encoding.JSON}
        return self.claim.size if self.claim and known else None

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while piece := await self._next():
            yield piece

    def __iter__(self) -> Iterator[bytes]:
        if self._loop is None:
            raise TypeError("this stream has not been stored yet: only Payloads can read it")
        while piece := asyncio.run_coroutine_threadsafe(self._next(), self._loop).result():
            yield piece

    async def read(self, size: int = -1) -> bytes:
        """The next `size` bytes, fewer at the end, b"" after it; without a size all that is left."""
        data = bytearray()
        while size < 0 or len(data) < size:
            piece = await self._next()
            if not piece:
                break
            data += piece
        if 0 <= size < len(data):
            self._rest = bytes(data[size:])
            del data[size:]
        return bytes(data)

    async def save(self, path: str | Path) -> None:
        """Writes what is left of it to a file."""
        async with await anyio.open_file(path, "wb") as file:
            async for piece in self:
                await file.write(piece)

    async def aclose(self) -> None:
        """Lets go of what it reads from."""
        with suppress(RuntimeError):  # a thread that a timeout has given up may still be reading
            await self._pieces.aclose()

    async def _next(self) -> bytes:
        if self._rest:
            piece, self._rest = self._rest, b""
            return piece
        async for piece in self._pieces:
            if piece:
                return piece
        return b""

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(
            cls._validated,
            json_schema_input_schema=core_schema.any_schema(),
            serialization=core_schema.plain_serializer_function_ser_schema(cls._set_aside, info_arg=True),
        )

    @classmethod
    def _validated(cls, value: Any) -> "PayloadStream":
        if isinstance(value, cls):
            return value
        if isinstance(value, (Path, bytes)):  # what a handler returned
            return cls(value)
        if isinstance(value, dict) and CLAIM_KEY in value:
            raise ValueError("it is a claim on a payload, and no payload store is configured")
        return cls(encode(value))

    def _set_aside(self, info: core_schema.SerializationInfo) -> str:
        if not isinstance(info.context, SetAside):
            raise TypeError("a PayloadStream can only be returned by a handler")
        return info.context.add(self)


class SetAside:
    """The streams in a handler's result while pydantic turns the rest into JSON-ready data: give it as `context`."""

    def __init__(self) -> None:
        self._streams: dict[str, PayloadStream] = {}

    def add(self, stream: PayloadStream) -> str:
        """A text that stands for `stream`."""
        self._streams[mark := f"stream-{uuid4().hex}"] = stream
        return mark

    def put_back(self, dumped: Any) -> Any:
        """What pydantic made, with the streams again in their places."""
        if not self._streams:
            return dumped
        draft = Draft(dumped)
        for place, node in nodes(dumped, leaves=(str,)):
            if isinstance(node, str) and node in self._streams:
                draft[place] = self._streams[node]
        return draft.document


def is_stream(annotation: Any) -> bool:
    """Whether a parameter so annotated is given a `PayloadStream`."""
    return annotation is PayloadStream or PayloadStream in getattr(annotation, "__args__", ())


async def save(stream: PayloadStream, store: Store, limit: int) -> Claim:
    """Writes `stream` to `store`, at most `limit` bytes, and returns the claim on it; an existing one, if any."""
    if stream.claim:
        return stream.claim
    key, digest, size = stream_key(), hashlib.sha256(), 0

    async def counted() -> AsyncGenerator[bytes]:
        nonlocal size
        async for piece in stream:
            size += len(piece)
            if size > limit:
                raise PayloadTooLargeError(f"a stream is over max_stream, {limit:,} bytes")
            digest.update(piece)
            yield piece

    async with aclosing(stream), aclosing(counted()) as pieces:
        await store.write(key, pieces)
    return Claim(uri=f"{store.url}/{key}", size=size, sha256=digest.hexdigest(), encoding=Encoding.BYTES)


async def verified(claim: Claim, pieces: AsyncIterator[bytes]) -> AsyncGenerator[bytes]:
    """`pieces`, counted and hashed; the last one is held back until it is known to be right."""
    digest, size = hashlib.sha256(), 0
    held = b""
    async for piece in pieces:
        size += len(piece)
        if size > claim.size:
            raise PayloadCorruptError(f"{claim.uri} is longer than its claim says, {claim.size:,} bytes")
        digest.update(piece)
        if held:
            yield held
        held = piece
    if size != claim.size or digest.hexdigest() != claim.sha256:
        raise PayloadCorruptError(f"{claim.uri} is not what was offloaded: length or hash differ")
    yield held


async def _pieces(source: Any) -> AsyncGenerator[bytes]:
    if isinstance(source, Path):
        async with await anyio.open_file(source, "rb") as file:
            while piece := await file.read(_PIECE):
                yield piece
    elif isinstance(source, AsyncGenerator):
        async with aclosing(source):
            async for piece in source:
                yield _checked(piece)
    elif isinstance(source, AsyncIterable):
        async for piece in source:
            yield _checked(piece)
    elif isinstance(source, bytes):
        yield source
    else:
        read = getattr(source, "read", None)
        iterator = iter(lambda: read(_PIECE), b"") if read else iter(source)
        while (piece := await anyio.to_thread.run_sync(_advance, iterator)) is not None:
            yield _checked(piece)


def _advance(iterator: Iterator[Any]) -> Any:
    return next(iterator, None)


def _checked(piece: Any) -> bytes:
    if isinstance(piece, bytes):
        return piece
    if isinstance(piece, (bytearray, memoryview)):
        return bytes(piece)
    raise PayloadNotJsonError(f"a PayloadStream is made of bytes; its source gave {type(piece).__name__}")


# Lets pydantic dump a stream wherever it meets one, also where the annotation says Any.
PayloadStream.__pydantic_serializer__ = TypeAdapter(PayloadStream).serializer  # type: ignore[attr-defined]
