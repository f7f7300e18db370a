"""What goes wrong between a worker and S3, and what becomes of it."""

import base64
from collections.abc import AsyncIterator

import pytest
import stamina
from aiobotocore.session import get_session

from tests.payloads.s3_stub import Stub, cut_after, hang_up, refused, s3_stub
from workers.payloads import Payloads, PayloadStream
from workers.payloads.errors import (
    PayloadCorruptError,
    PayloadMissingError,
    StoreAccessDeniedError,
    StoreMissingError,
    StoreRefusedError,
    StoreUnavailableError,
)
from workers.payloads.s3_upload import PART


@pytest.fixture
async def stub() -> AsyncIterator[Stub]:
    async with s3_stub() as stub:
        yield stub


@pytest.fixture
async def payloads(stub: Stub) -> AsyncIterator[Payloads]:
    async with Payloads("s3://bucket/p", options=stub.options()) as payloads:
        yield payloads


@pytest.fixture
def few_retries():
    """Two attempts, one after the other at once."""
    stamina.set_testing(True, attempts=2)
    yield
    stamina.set_testing(False)


UNAVAILABLE = [refused(503, "SlowDown"), refused(500, "InternalError"), refused(400, "RequestTimeout"), hang_up]


async def test_a_put_and_a_get_are_one_request_each(stub: Stub, payloads: Payloads):
    claim = await payloads.offload("x", always=True)
    assert await payloads.reload(claim) == "x"
    path = claim["uri"].removeprefix("s3:/")
    assert stub.requests == [f"PUT {path}", f"GET {path}"], "s3fs's own read would have sent a HEAD before the GET"
    digest = base64.b64encode(bytes.fromhex(claim["sha256"])).decode()
    assert stub.headers[0]["x-amz-checksum-sha256"] == digest, "S3 checks what it was sent"
    assert "x-amz-checksum-sha256" in stub.headers[0]["Authorization"], "and the hash itself is signed"


@pytest.mark.parametrize("fault", UNAVAILABLE)
async def test_a_passing_fault_is_survived(stub: Stub, payloads: Payloads, few_retries, fault):
    stub.faults = [fault]
    claim = await payloads.offload(["x"], always=True)
    stub.faults = [fault]
    assert await payloads.reload(claim) == ["x"]


@pytest.mark.parametrize("fault", UNAVAILABLE)
async def test_a_store_that_stays_down_is_unavailable(stub: Stub, payloads: Payloads, few_retries, fault):
    stub.faults = [fault] * 4
    with pytest.raises(StoreUnavailableError) as failed:
        await payloads.offload("x", always=True)
    assert failed.value.error_name == "Worker.PayloadStoreUnavailable"
    assert len(stub.requests) >= 2, "retried first (and by aiohttp itself where a connection just closed)"


async def test_a_store_that_nobody_serves_is_unavailable(few_retries):
    options = {"endpoint_url": "http://127.0.0.1:9", "key": "k", "secret": "s"}
    async with Payloads(
        "s3://bucket/p", options={**options, "client_kwargs": {"region_name": "us-east-1"}}
    ) as payloads:
        with pytest.raises(StoreUnavailableError, match="was not reached"):
            await payloads.offload("x", always=True)


async def test_a_body_that_breaks_off_is_read_again(stub: Stub, payloads: Payloads, few_retries):
    claim = await payloads.offload("x" * 1_000, always=True)
    data = stub.objects[claim["uri"].removeprefix("s3:/")]
    stub.faults = [cut_after(100, data)]
    assert await payloads.reload(claim) == "x" * 1_000


async def test_access_denied_says_that_the_object_may_be_missing(stub: Stub, payloads: Payloads):
    claim = await payloads.offload("x", always=True)
    stub.faults = [refused(403, "AccessDenied", "Access Denied")]
    with pytest.raises(StoreAccessDeniedError, match=r"s3:GetObject.*without s3:ListBucket, S3 answers 403") as denied:
        await payloads.reload(claim)
    assert denied.value.error_name == "Worker.PayloadAccessDenied"
    assert len(stub.requests) == 2, "not retried"


async def test_credentials_that_have_expired_are_denied(stub: Stub, payloads: Payloads):
    stub.faults = [refused(400, "ExpiredToken")]
    with pytest.raises(StoreAccessDeniedError, match="ExpiredToken"):
        await payloads.offload("x", always=True)


async def test_no_credentials_are_denied(stub: Stub, monkeypatch: pytest.MonkeyPatch, tmp_path):
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    options = {"endpoint_url": stub.url, "client_kwargs": {"region_name": "us-east-1"}, "session": get_session()}
    async with Payloads("s3://bucket/p", options=options) as payloads:
        with pytest.raises(StoreAccessDeniedError, match="no AWS credentials"):
            await payloads.offload("x", always=True)
    assert stub.requests == []


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (refused(404, "NoSuchBucket"), StoreMissingError),
        (refused(404, "NoSuchKey"), PayloadMissingError),
        (refused(400, "KMS.NotFoundException"), StoreRefusedError),
        (refused(400, "InvalidTag"), StoreRefusedError),
    ],
)
async def test_other_answers_have_their_own_names(stub: Stub, payloads: Payloads, fault, error):
    stub.faults = [fault]
    with pytest.raises(error, match=r"s3://bucket/p"):
        await payloads.offload("x", always=True)
    assert len(stub.requests) == 1


async def test_a_longer_object_is_corrupt_and_its_body_not_read(stub: Stub, payloads: Payloads):
    claim = await payloads.offload("x", always=True)
    stub.objects[claim["uri"].removeprefix("s3:/")] = b"x" * 50_000_000
    with pytest.raises(PayloadCorruptError, match="has 50,000,000 bytes, more than 3"):
        await payloads.reload(claim)


async def test_a_stream_goes_on_where_its_connection_broke(stub: Stub, payloads: Payloads, few_retries):
    data = bytes(range(256)) * 10_000
    document = await payloads.reload(await payloads.offload(PayloadStream(data)))
    stub.faults = [cut_after(1_000_000, data), cut_after(600_000, data)]
    assert await document.read() == data
    gets = [headers.get("Range") for headers in stub.headers if "Range" in headers]
    assert len(gets) >= 2, "each time from where it was"


async def test_parts_of_a_stream_are_tried_again(stub: Stub, payloads: Payloads, few_retries):
    data = b"part" * (PART // 2)
    stub.faults = [None, refused(503, "SlowDown"), refused(500, "InternalError")]
    claim = await payloads.offload(PayloadStream(data))
    assert stub.objects[claim["uri"].removeprefix("s3:/")] == data
    assert claim["bytes"] == len(data)


async def test_a_stream_that_cannot_be_written_leaves_nothing_behind(stub: Stub, payloads: Payloads, few_retries):
    slow_down = refused(503, "SlowDown")
    stub.faults = [lambda request: slow_down(request) if "partNumber" in request.query else None] * 10
    with pytest.raises(StoreUnavailableError):
        await payloads.offload(PayloadStream(b"x" * (2 * PART)))
    assert any(request.startswith("DELETE") for request in stub.requests)
    assert stub.uploads == {}
    assert stub.objects == {}


async def test_a_stream_whose_source_fails_leaves_nothing_behind(stub: Stub, payloads: Payloads):
    async def source():
        yield b"x" * (PART + 1)
        raise RuntimeError("the source is dry")

    with pytest.raises(RuntimeError, match="the source is dry"):
        await payloads.offload(PayloadStream(source()))
    assert stub.uploads == {}
    assert stub.objects == {}
