"""A stream on its way to S3: in parts, a few at a time, so that its length need not be known."""

from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Any, Protocol

import anyio

from workers.payloads.errors import PayloadError
from workers.payloads.together import side_by_side

PART = 6 << 20
"""Bytes of a part; 10,000 of them are 58 GiB (S3 takes 5 MiB to 5 GiB each, and 10,000: user guide, quotas)."""
_AT_ONCE = 3


class Call(Protocol):
    """Calls an operation of the S3 client on one object, with retries."""

    async def __call__(self, operation: str, key: str, **parameters: Any) -> dict[str, Any]:
        """The answer."""


async def upload(call: Call, key: str, pieces: AsyncIterator[bytes]) -> None:
    """Writes `pieces` to `key`, holding at most five parts in memory. Nothing is left in S3 when it fails."""
    parts = _parts(pieces)
    first = await anext(parts)
    if len(first) < PART:
        await call("put_object", key, Body=first)
        return
    upload_id = (await call("create_multipart_upload", key))["UploadId"]
    try:
        tags = await _send(call, key, upload_id, first, parts)
        listed = [{"PartNumber": number, "ETag": tag} for number, tag in sorted(tags.items())]
        await call("complete_multipart_upload", key, UploadId=upload_id, MultipartUpload={"Parts": listed})
    except BaseException:
        # What cannot be taken back now is for a lifecycle rule; the error that led here is the one to raise.
        with anyio.move_on_after(10, shield=True), suppress(PayloadError):
            await call("abort_multipart_upload", key, UploadId=upload_id)
        raise


async def _send(call: Call, key: str, upload_id: str, first: bytes, parts: AsyncIterator[bytes]) -> dict[int, str]:
    tags: dict[int, str] = {}
    free = anyio.Semaphore(_AT_ONCE)

    async def send(number: int, part: bytes) -> None:
        try:
            answer = await call("upload_part", key, UploadId=upload_id, PartNumber=number, Body=part)
            tags[number] = answer["ETag"]
        finally:
            free.release()

    async with side_by_side() as group:
        number = 1
        part: bytes | None = first
        while part is not None:
            await free.acquire()
            group.start_soon(send, number, part, name=f"part {number} of {key}")
            number += 1
            part = await anext(parts, None)
    return tags


async def _parts(pieces: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """`pieces` cut anew: every part but the last has `PART` bytes. There is at least one."""
    waiting: list[bytes] = []
    size = 0
    cut = False
    async for piece in pieces:
        rest = piece
        while rest:
            taken, rest = rest[: PART - size], rest[PART - size :]
            waiting.append(taken)
            size += len(taken)
            if size == PART:
                yield b"".join(waiting)
                waiting.clear()
                size, cut = 0, True
    if waiting or not cut:
        yield b"".join(waiting)
