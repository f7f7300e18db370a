"""Payloads that never stand whole in memory."""

import asyncio
import hashlib
import io
import os
from pathlib import Path
from typing import Any

import anyio.to_thread
import pytest
from pydantic import BaseModel, TypeAdapter, ValidationError

from workers.payloads import Payloads, PayloadStream
from workers.payloads.claim import CLAIM_KEY
from workers.payloads.errors import PayloadCorruptError, PayloadNotJsonError, PayloadTooLargeError
from workers.payloads.s3_upload import PART
from workers.payloads.streams import SetAside, is_stream

DATA = bytes(range(256)) * 5_000


async def pieces(data: bytes = DATA, size: int = 100_000):
    for start in range(0, len(data), size):
        yield data[start : start + size]


@pytest.mark.parametrize("size", [0, 1, PART, 2 * PART + 17])
async def test_a_stream_of_any_length_goes_there_and_back(any_payloads: Payloads, size):
    data = os.urandom(size)
    claim = await any_payloads.offload(PayloadStream(pieces(data, 1_000_000)))
    assert claim["encoding"] == "bytes"
    assert claim["bytes"] == size
    assert claim["sha256"] == hashlib.sha256(data).hexdigest()
    assert "/stream-" in claim["uri"]
    stream = await any_payloads.reload(claim)
    assert stream.size == size
    assert await stream.read() == data
    assert await stream.read() == b""


async def test_what_a_stream_is_made_of(payloads: Payloads, tmp_path: Path):
    path = tmp_path / "file"
    path.write_bytes(DATA)

    def plain():
        yield b""
        yield DATA[:1000]
        yield bytearray(DATA[1000:])

    with path.open("rb") as file:
        for source in (DATA, path, file, io.BytesIO(DATA), [DATA[:10], DATA[10:]], plain(), pieces()):
            claim = await payloads.offload({"stream": PayloadStream(source)})
            assert await (await payloads.reload(claim))["stream"].read() == DATA


async def test_a_stream_is_read_in_pieces_of_any_kind(payloads: Payloads, tmp_path: Path):
    claim = await payloads.offload(PayloadStream(DATA))
    assert b"".join([piece async for piece in await payloads.reload(claim)]) == DATA
    stream = await payloads.reload(claim)
    assert await stream.read(10) == DATA[:10]
    assert await stream.read(0) == b""
    await stream.save(tmp_path / "rest")
    assert (tmp_path / "rest").read_bytes() == DATA[10:]
    stream = await payloads.reload(claim)
    in_thread = await anyio.to_thread.run_sync(lambda: b"".join(stream))
    assert in_thread == DATA


async def test_a_stream_is_passed_on_without_being_copied(payloads: Payloads):
    claim = await payloads.offload({"video": PayloadStream(DATA)})
    loaded = await payloads.reload(claim)
    assert await payloads.offload({"same": loaded["video"]}) == {"same": claim["video"]}
    folders = [folder async for folder in payloads.store.folders()]
    assert len([found async for found in payloads.store.objects(folders[0])]) == 1


async def test_a_claim_on_a_stream_stays_where_the_rest_is_offloaded(payloads: Payloads):
    document = {"a": {"stream": PayloadStream(DATA), "rows": list(range(50_000))}, "b": "x" * 100_000}
    for options in ({}, {"keys": "all"}, {"always": True}):
        small = await payloads.offload(document | {"a": document["a"] | {"stream": PayloadStream(DATA)}}, **options)
        assert small["a"]["stream"]["encoding"] == "bytes"
        assert await (await payloads.reload(small))["a"]["stream"].read() == DATA


async def test_a_parameter_that_is_a_stream_gets_a_reader_of_json_too(payloads: Payloads):
    small = await payloads.offload({"rows": [1, 2], "other": [3]}, keys="all", always=True)
    loaded = await payloads.reload(small, streams={("rows",)})
    assert await loaded["rows"].read() == b"[1,2]"
    assert loaded["other"] == [3]
    whole = await payloads.offload([4], always=True)
    assert await (await payloads.reload(whole, streams={()})).read() == b"[4]"


@pytest.mark.parametrize("compression", ["gzip", "zstd"])
async def test_a_packed_document_is_unpacked_for_a_stream(compression):
    async with Payloads("memory://packed", compression=compression) as packed:
        claim = await packed.offload([5] * 1000, always=True)
        stream = await packed.reload(claim, streams={()})
        assert stream.size is None, "known only once it is unpacked"
        assert await stream.read() == b"[" + b",".join([b"5"] * 1000) + b"]"


async def test_a_stream_over_its_cap_is_refused_and_leaves_nothing(any_payloads: Payloads, store_arguments):
    async with Payloads(**store_arguments, max_stream=2 * PART) as capped:
        with pytest.raises(PayloadTooLargeError, match="over max_stream"):
            await capped.offload(PayloadStream(pieces(os.urandom(3 * PART), 1_000_000)))
    found = [
        found.key async for folder in any_payloads.store.folders() async for found in any_payloads.store.objects(folder)
    ]
    assert found == []


@pytest.mark.parametrize("change", [lambda data: data[:-1], lambda data: data + b"x", lambda data: b"y" + data[1:]])
async def test_a_stream_that_is_not_what_was_written_is_corrupt(payloads: Payloads, change):
    claim = await payloads.offload(PayloadStream(DATA))
    await payloads.store.put(claim["uri"].removeprefix(f"{payloads.url}/"), change(DATA), b"")
    stream, got = await payloads.reload(claim), bytearray()

    async def read():
        async for piece in stream:
            got.extend(piece)

    with pytest.raises(PayloadCorruptError):
        await read()
    assert len(got) < len(DATA), "the last piece is held back until the hash is known"


async def test_a_source_that_gives_no_bytes_is_refused_by_name(payloads: Payloads):
    with pytest.raises(PayloadNotJsonError, match="its source gave str"):
        await payloads.offload(PayloadStream(["text"]))


async def test_a_failing_source_fails_with_its_own_error(payloads: Payloads, tmp_path: Path):
    with pytest.raises(FileNotFoundError):
        await payloads.offload(PayloadStream(tmp_path / "missing"))

    async def broken():
        yield b"x"
        raise LookupError("dry")

    with pytest.raises(LookupError, match="dry"):
        await payloads.offload({"a": PayloadStream(broken()), "b": PayloadStream(DATA)})


async def test_only_a_stored_stream_can_be_read_in_a_thread():
    with pytest.raises(TypeError, match="not been stored yet"):
        list(PayloadStream(DATA))


async def test_closing_while_a_thread_reads_does_no_harm(payloads: Payloads, monkeypatch):
    claim = await payloads.offload(PayloadStream(DATA))
    opened: list[PayloadStream] = []
    stream = await payloads.reload(claim, opened=opened)
    assert opened == [stream]
    reading = asyncio.ensure_future(stream.read())
    await asyncio.sleep(0)
    await stream.aclose()
    assert await reading == DATA


def test_an_annotation_asks_for_a_stream():
    assert is_stream(PayloadStream)
    assert is_stream(PayloadStream | None)
    assert not is_stream(bytes)
    assert not is_stream(Any)


class Film(BaseModel):
    title: str
    video: PayloadStream


@pytest.mark.parametrize("annotation", [Film, Any, PayloadStream, dict[str, Any], dict[str, PayloadStream | int]])
def test_streams_pass_through_the_dump_of_a_result(annotation):
    stream = PayloadStream(DATA)
    result: Any = Film(title="x", video=stream) if annotation is Film else {"video": stream, "n": 1}
    if annotation is PayloadStream:
        result = stream
    aside = SetAside()
    dumped = TypeAdapter(annotation).dump_python(result, mode="json", context=aside)
    put_back = aside.put_back(dumped)
    assert (put_back if annotation is PayloadStream else put_back["video"]) is stream


def test_a_result_without_streams_is_not_copied():
    document = {"a": "stream-0"}
    assert SetAside().put_back(document) is document


async def test_an_input_becomes_what_a_parameter_wants():
    adapter = TypeAdapter(PayloadStream)
    stream = PayloadStream(DATA)
    assert adapter.validate_python(stream) is stream
    assert await adapter.validate_python({"a": [1]}).read() == b'{"a":[1]}', "what was too small to be offloaded"
    with pytest.raises(ValidationError, match="no payload store is configured"):
        adapter.validate_python({CLAIM_KEY: 1})
    assert TypeAdapter(dict[str, int | PayloadStream]).json_schema()
