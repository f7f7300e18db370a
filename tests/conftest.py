"""The tests know no environment: what a machine says of AWS, of proxies or of workers is forgotten before the first."""

import logging
import os
import signal
import sys
from collections.abc import AsyncIterator, Iterator

import pytest
import structlog
from anyio.from_thread import start_blocking_portal
from hypothesis import settings

from tests import postgresql
from tests.account import SESSION, Account, unique
from workers.local import LocalStepFunctions

_FORGOTTEN = ("AWS_", "WORKERS_", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "REQUESTS_CA_BUNDLE")

for name in [name for name in os.environ if name.upper().startswith(_FORGOTTEN)]:
    del os.environ[name]

# Neither files of the person who runs the tests nor a metadata service gives credentials.
os.environ["AWS_CONFIG_FILE"] = os.environ["AWS_SHARED_CREDENTIALS_FILE"] = os.devnull
os.environ["AWS_EC2_METADATA_DISABLED"] = "true"

# What a shell begins in the background ignores Ctrl-C, and so would every process that a test starts and interrupts.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# The same examples in every run, and no example is timed: a slow machine is no fault.
settings.register_profile("repeatable", derandomize=True, deadline=None)
settings.load_profile("repeatable")


@pytest.fixture(scope="session", autouse=True)
def _logging_is_left_alone() -> Iterator[None]:
    """Commands that run in this process do not lead log lines to the stderr of one test, which ends with it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(structlog, "configure", lambda **_: None)
        patch.setattr(logging, "basicConfig", lambda **_: None)
        yield


@pytest.fixture(autouse=True)
def _handlers_are_found_anew() -> Iterator[None]:
    """Many tests write a `handlers.py` of their own; the next one does not get theirs."""
    yield
    sys.modules.pop("handlers", None)


@pytest.fixture(scope="session")
def engine() -> Iterator[LocalStepFunctions]:
    """One embedded Step Functions for all tests; it holds polls briefly, so that drains are short."""
    with (
        start_blocking_portal() as portal,
        portal.wrap_async_context_manager(LocalStepFunctions(poll_hold=0.3)) as local,
    ):
        yield local


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[postgresql.Server]:
    """One PostgreSQL for all tests."""
    if reason := postgresql.why_not():
        pytest.skip(reason)
    with postgresql.postgresql() as server:
        yield server


@pytest.fixture
def postgresql_url(postgresql_server: postgresql.Server) -> str:
    """The URL of an empty database of its own."""
    return postgresql_server.create(unique("manager"))


@pytest.fixture
async def account(engine: LocalStepFunctions, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Account]:
    """The engine as an AWS account: the environment points to it, and names are the test's own."""
    for name, value in engine.environment().items():
        monkeypatch.setenv(name, value)
    keys = {"aws_access_key_id": "local", "aws_secret_access_key": "local", "region_name": "us-east-1"}
    async with SESSION.create_client("stepfunctions", endpoint_url=engine.url, **keys) as client:
        yield Account(client)
