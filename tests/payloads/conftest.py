"""Stores of every kind, and an S3 over real HTTP."""

from collections.abc import AsyncIterator, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any
from uuid import uuid4

import boto3
import pytest
from anyio.from_thread import start_blocking_portal

from tests.payloads.s3_stub import SESSION
from workers.local import LocalStepFunctions
from workers.payloads import Payloads

BUCKET = "payloads"


@pytest.fixture(scope="session", params=["usual", pytest.param("harsh", marks=pytest.mark.slow)])
def engine(request: pytest.FixtureRequest, engine: LocalStepFunctions) -> Iterator[LocalStepFunctions]:
    """The engine of all tests, and in the slow form another one on a bad day."""
    if request.param == "usual":
        yield engine
        return
    harsh = LocalStepFunctions(poll_hold=0.3, harsh=True, seed=5)
    with start_blocking_portal() as portal, portal.wrap_async_context_manager(harsh) as local:
        yield local


@pytest.fixture(scope="session")
def s3_endpoint(engine: LocalStepFunctions) -> str:
    return engine.url


@pytest.fixture(scope="session")
def s3_options(s3_endpoint: str) -> dict:
    """Options for a payload store on that S3, whose bucket exists."""
    with closing(s3_client(s3_endpoint)) as client:
        client.create_bucket(Bucket=BUCKET)
    return {
        "endpoint_url": s3_endpoint,
        "key": "test",
        "secret": "test",
        "client_kwargs": {"region_name": "us-east-1"},
        "session": SESSION,
    }


@pytest.fixture(scope="session")
def boto_s3(s3_endpoint: str, s3_options: dict) -> Iterator[Any]:
    """A client that looks at what is really stored."""
    with closing(s3_client(s3_endpoint)) as client:
        yield client


def s3_client(endpoint: str) -> Any:
    return boto3.client(
        "s3",
        endpoint_url=endpoint,
        aws_access_key_id="test",
        aws_secret_access_key="test",
        region_name="us-east-1",
    )


@pytest.fixture(params=["memory", "file", "s3"])
def store_arguments(request: pytest.FixtureRequest, tmp_path: Path, s3_options: dict) -> dict:
    """What `Payloads` takes for an empty store, of each kind."""
    if request.param == "memory":
        return {"store": f"memory://{uuid4().hex}"}
    if request.param == "file":
        return {"store": f"file://{tmp_path}/payloads"}
    return {"store": f"s3://{BUCKET}/{uuid4().hex}", "options": s3_options}


@pytest.fixture
async def any_payloads(store_arguments: dict) -> AsyncIterator[Payloads]:
    async with Payloads(**store_arguments) as payloads:
        yield payloads


@pytest.fixture
async def payloads() -> AsyncIterator[Payloads]:
    async with Payloads(f"memory://{uuid4().hex}") as payloads:
        yield payloads
