"""How the bytes of a document are packed, and unpacked within a limit."""

import gzip
import io
import zlib
from typing import Any, Literal

from workers.errors import MissingExtraError, UsageError
from workers.payloads.claim import Encoding
from workers.payloads.errors import PayloadCorruptError, PayloadTooLargeError

Compression = Literal["gzip", "zstd"]


def encoding_for(compression: Compression | None) -> Encoding:
    """The encoding of documents packed so. Raises `UsageError` or `MissingExtraError`."""
    if compression is None:
        return Encoding.JSON
    if compression == "gzip":
        return Encoding.JSON_GZIP
    if compression == "zstd":
        _zstandard()
        return Encoding.JSON_ZSTD
    raise UsageError(f"compression is {compression!r}: it must be 'gzip', 'zstd' or None")


def pack(data: bytes, encoding: Encoding) -> bytes:
    """`data` in its stored form."""
    if encoding is Encoding.JSON_GZIP:
        return gzip.compress(data, compresslevel=6, mtime=0)  # no time in it: equal data are stored once a day
    if encoding is Encoding.JSON_ZSTD:
        packed: bytes = _zstandard().ZstdCompressor().compress(data)
        return packed
    return data


def unpack(stored: bytes, encoding: Encoding, *, limit: int, uri: str) -> bytes:
    """The data in `stored`. Raises `PayloadTooLargeError` beyond `limit` bytes, `PayloadCorruptError`."""
    if encoding in {Encoding.JSON, Encoding.BYTES}:
        return stored
    try:
        data = _read(stored, encoding, limit + 1)
    except (OSError, EOFError, zlib.error, ValueError) as error:
        raise PayloadCorruptError(f"{uri} is not {encoding}: {error}") from None
    if len(data) > limit:
        raise PayloadTooLargeError(f"{uri} unpacks to more than {limit:,} bytes")
    return data


def _read(stored: bytes, encoding: Encoding, most: int) -> bytes:
    if encoding is Encoding.JSON_GZIP:
        with gzip.GzipFile(fileobj=io.BytesIO(stored)) as file:
            return file.read(most)
    zstandard = _zstandard()
    try:
        with zstandard.ZstdDecompressor().stream_reader(stored) as reader:
            data: bytes = reader.read(most)
            return data
    except zstandard.ZstdError as error:
        raise ValueError(str(error)) from None


def _zstandard() -> Any:
    try:
        import zstandard
    except ImportError:
        raise MissingExtraError("zstd compression", "zstd") from None
    return zstandard
