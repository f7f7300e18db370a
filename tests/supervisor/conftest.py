import pytest

from tests.account import Account
from tests.both_clients import pytest_generate_tests, workers_client
from tests.supervisor.stage import Stage
from workers.local import LocalStepFunctions

__all__ = ["pytest_generate_tests", "workers_client"]


@pytest.fixture
def stage(account: Account, engine: LocalStepFunctions) -> Stage:
    """Sets up workers in processes of their own."""
    return Stage(account, engine)
