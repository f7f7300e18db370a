"""Stores of every kind, and an S3 over real HTTP."""

import warnings
from collections.abc import AsyncIterator, Iterator
from uuid import uuid4

import pytest
from moto.server import ThreadedMotoServer

from tests.payloads.s3_stub import SESSION
from workers.payloads import Payloads

BUCKET = "payloads"


@pytest.fixture(scope="session")
def s3_endpoint() -> Iterator[str]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture(scope="session")
def s3_options(s3_endpoint: str) -> dict:
    """Options for a payload store on that S3, whose bucket exists."""
    options = {
        "endpoint_url": s3_endpoint,
        "key": "test",
        "secret": "test",
        "client_kwargs": {"region_name": "us-east-1"},
        "session": SESSION,
    }
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import boto3
    boto3.client(
        "s3",
        endpoint_url=s3_endpoint,
        aws_access_key_id="test",
        aws_secret_access_key="test",
        region_name="us-east-1",
    ).create_bucket(Bucket=BUCKET)
    return options


@pytest.fixture
def boto_s3(s3_endpoint: str, s3_options: dict):
    """A client that looks at what is really stored."""
    import boto3

    return boto3.client(
        "s3",
        endpoint_url=s3_endpoint,
        aws_access_key_id="test",
        aws_secret_access_key="test",
        region_name="us-east-1",
    )


@pytest.fixture(params=["memory", "file", "s3"])
def store_arguments(request: pytest.FixtureRequest) -> dict:
    """What `Payloads` takes for an empty store, of each kind."""
    if request.param == "memory":
        return {"store": f"memory://{uuid4().hex}"}
    if request.param == "file":
        return {"store": f"file://{request.getfixturevalue('tmp_path')}/payloads"}
    return {"store": f"s3://{BUCKET}/{uuid4().hex}", "options": request.getfixturevalue("s3_options")}


@pytest.fixture
async def any_payloads(store_arguments: dict) -> AsyncIterator[Payloads]:
    async with Payloads(**store_arguments) as payloads:
        yield payloads


@pytest.fixture
async def payloads() -> AsyncIterator[Payloads]:
    async with Payloads(f"memory://{uuid4().hex}") as payloads:
        yield payloads
