"""An engine of its own for the tests of faults: a process, so that its work does not slow down what stands between."""

import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager

import pytest
from aiobotocore.config import AioConfig

from tests.account import SESSION, Account
from tests.both_clients import pytest_generate_tests, workers_client
from tests.processes import WORKERS
from workers.local.engine import environment

__all__ = ["pytest_generate_tests", "workers_client"]

PATIENT = AioConfig(retries={"mode": "standard", "total_max_attempts": 12})
"""Of clients that repeat what is throttled, and what they hear no answer of."""
_COMMAND = (sys.executable, *WORKERS, "local", "--port", "0", "--poll-hold", "2", "--keep", "100000")


class Engine:
    """`workers local` as a process."""

    def __init__(self, url: str) -> None:
        self.url = url

    def environment(self, *, through: str | None = None) -> dict[str, str]:
        """The variables that lead AWS's tools to it, or to the proxy whose URL is `through`."""
        return environment(through or self.url)


@pytest.fixture(scope="session")
def engine() -> Iterator[Engine]:
    """The engine of all tests of faults. It holds polls for two seconds."""
    with _started() as engine:
        yield engine


@pytest.fixture(scope="session")
def bad_day() -> Iterator[Engine]:
    """AWS on a bad day."""
    with _started("--harsh", "--seed", "7") as engine:
        yield engine


@pytest.fixture
async def bad_account(bad_day: Engine) -> AsyncIterator[Account]:
    """An account on a bad day; its client repeats what is throttled, and what it hears no answer of."""
    keys = {"aws_access_key_id": "local", "aws_secret_access_key": "local", "region_name": "us-east-1"}
    async with SESSION.create_client("stepfunctions", endpoint_url=bad_day.url, config=PATIENT, **keys) as client:
        yield Account(client)


@contextmanager
def _started(*options: str) -> Iterator[Engine]:
    with subprocess.Popen([*_COMMAND, *options], stdout=subprocess.PIPE, text=True, start_new_session=True) as process:
        try:
            assert process.stdout
            yield Engine(process.stdout.readline().split()[-1])
        finally:
            process.kill()
