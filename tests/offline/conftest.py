from collections.abc import AsyncIterator

import pytest

from tests.account import SESSION, unique
from workers.local import LocalStepFunctions
from workers.settings import Settings
from workers.stepfunctions.account import Account, open_account


@pytest.fixture
async def here(engine: LocalStepFunctions) -> AsyncIterator[Account]:
    """A namespace of the test's own on the engine."""
    settings = Settings(local=True, local_port=engine.port, namespace=unique("t"))
    async with open_account(settings, session=SESSION) as account:
        yield account
