"""A payload store on S3, over real HTTP."""

import hashlib
from uuid import uuid4

import pytest

from tests.payloads.conftest import BUCKET
from workers.errors import UsageError
from workers.payloads import Payloads, PayloadStream
from workers.payloads.errors import PayloadMissingError, StoreAccessDeniedError, StoreMissingError, StoreRefusedError
from workers.payloads.s3_upload import PART


def key_of(claim: dict) -> str:
    return claim["uri"].removeprefix(f"s3://{BUCKET}/")


async def test_stepwise_case_23_offload_and_load(s3_options, boto_s3):
    async with Payloads(f"s3://{BUCKET}/prefix", options=s3_options) as payloads:
        small = await payloads.offload({"foo": 3, "bar": "soap"}, always=True)
        assert small["uri"].startswith(f"s3://{BUCKET}/prefix/")
        stored = boto_s3.get_object(Bucket=BUCKET, Key=key_of(small))["Body"].read()
        assert stored == b'{"foo":3,"bar":"soap"}'
        assert hashlib.sha256(stored).hexdigest() == small["sha256"]
        assert await payloads.reload(small) == {"foo": 3, "bar": "soap"}


async def test_stepwise_case_22_a_missing_bucket_is_said(s3_options):
    async with Payloads("s3://no-such-bucket-here/prefix", options=s3_options) as payloads:
        with pytest.raises(StoreMissingError, match="The specified bucket does not exist") as missing:
            await payloads.offload("x", always=True)
        assert missing.value.error_name == "Worker.PayloadStoreMissing"


async def test_a_store_at_the_root_of_a_bucket(s3_options):
    async with Payloads(f"s3://{BUCKET}", options=s3_options) as payloads:
        assert await payloads.reload(await payloads.offload(["x"], always=True)) == ["x"]


async def test_bug_4_1_10_a_prefix_with_slashes_is_kept_whole(s3_options, boto_s3):
    async with Payloads(f"s3://{BUCKET}/a/b/c=d/e.f", options=s3_options) as payloads:
        claim = await payloads.offload(["x"], always=True)
        assert await payloads.reload(claim) == ["x"]
    assert key_of(claim).startswith("a/b/c=d/e.f/")
    assert boto_s3.head_object(Bucket=BUCKET, Key=key_of(claim))["ContentLength"] == 5


async def test_an_object_that_is_gone_is_missing(s3_options, boto_s3):
    async with Payloads(f"s3://{BUCKET}/gone", options=s3_options) as payloads:
        claim = await payloads.offload("x", always=True)
        boto_s3.delete_object(Bucket=BUCKET, Key=key_of(claim))
        on_a_bad_day = "the object is not there"  # without s3:ListBucket, nobody is told
        expected = (PayloadMissingError, StoreAccessDeniedError)
        with pytest.raises(expected, match=f"lifecycle rule or a sweep|{on_a_bad_day}"):
            await payloads.reload(claim)


async def test_an_object_is_written_again_each_time_so_that_its_age_restarts(s3_options, boto_s3):
    boto_s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
    async with Payloads(f"s3://{BUCKET}/again", options=s3_options) as payloads:
        claims = [await payloads.offload("same", always=True) for _ in range(2)]
    boto_s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Suspended"})
    assert claims[0] == claims[1]
    versions = boto_s3.list_object_versions(Bucket=BUCKET, Prefix=key_of(claims[0]))["Versions"]
    assert len(versions) == 2


@pytest.mark.parametrize(
    "made",
    [lambda: "x" * 100, lambda: PayloadStream(b"x" * 100), lambda: PayloadStream(b"x" * (PART + 1))],
    ids=["a document", "a short stream", "a stream in parts"],
)
async def test_options_of_s3_are_passed_on(s3_options, boto_s3, made):
    additional = {
        "ServerSideEncryption": "aws:kms",
        "SSEKMSKeyId": "arn:aws:kms:us-east-1:123456789012:key/11111111-2222-3333-4444-555555555555",
        "Tagging": "team=payments&kind=payload",
    }
    options = {**s3_options, "s3_additional_kwargs": additional}
    async with Payloads(f"s3://{BUCKET}/options", options=options) as payloads:
        claim = await payloads.offload(made(), always=True)
    head = boto_s3.head_object(Bucket=BUCKET, Key=key_of(claim))
    assert head["ServerSideEncryption"] == "aws:kms"
    assert head["SSEKMSKeyId"] == additional["SSEKMSKeyId"]
    tags = boto_s3.get_object_tagging(Bucket=BUCKET, Key=key_of(claim))["TagSet"]
    assert {tag["Key"]: tag["Value"] for tag in tags} == {"team": "payments", "kind": "payload"}


async def test_an_option_that_s3_does_not_know_is_refused_by_name(s3_options):
    options = {**s3_options, "s3_additional_kwargs": {"ServerSideEncryption": 7}}
    async with Payloads(f"s3://{BUCKET}/x", options=options) as payloads:
        with pytest.raises(StoreRefusedError, match="ServerSideEncryption"):
            await payloads.offload("x", always=True)


async def test_the_endpoint_and_session_of_a_worker_are_used_where_no_options_say_otherwise(s3_endpoint, s3_options):
    from aiobotocore.session import get_session

    session = get_session()
    session.set_credentials("test", "test")
    session.set_config_variable("region", "us-east-1")
    payloads = Payloads(f"s3://{BUCKET}/{uuid4().hex}")
    payloads.use_aws(session, s3_endpoint)
    async with payloads:
        assert await payloads.reload(await payloads.offload(["x"], always=True)) == ["x"]


@pytest.mark.parametrize(
    "url",
    [
        "s3://",
        "s3:///prefix",
        "bucket/prefix",
        "/folder",
        "file://folder",
        "file:///",
        "memory://",
        "http://host/x",
        "s3://bucket/a//b",
        "s3://bucket/../b",
        "s3://bucket/a?versionId=3",
        "s3://user@bucket/a",
        "s3:bucket",
        "",
    ],
)
def test_a_url_that_is_no_store_is_refused(url):
    with pytest.raises(UsageError, match="payload store"):
        Payloads(url)
    with pytest.raises(UsageError, match="payload store"):
        Payloads("memory://x", read_from=[url])


def test_options_that_cannot_work_are_refused():
    with pytest.raises(UsageError, match="compression is 'lz4'"):
        Payloads("memory://x", compression="lz4")
    with pytest.raises(UsageError, match="max_object is 0"):
        Payloads("memory://x", max_object=0)
    with pytest.raises(UsageError, match="read_from is the text"):
        Payloads("memory://x", read_from="memory://y")


async def test_a_store_is_used_while_it_is_open():
    payloads = Payloads("memory://x")
    with pytest.raises(UsageError, match="is not open: use it within"):
        await payloads.offload("x")
    async with payloads:
        assert await payloads.reload("x") == "x"
    with pytest.raises(UsageError, match="is not open"):
        await payloads.reload("x")
