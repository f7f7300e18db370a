from collections.abc import AsyncIterator

import pytest

from tests.account import Account as Playground
from tests.proxy import hasty, proxy
from workers.settings import Settings
from workers.stepfunctions.account import Account, open_account

__all__ = ["hasty", "proxy"]


@pytest.fixture
async def here(account: Playground) -> AsyncIterator[Account]:
    """The engine, as those see it who register machines."""
    async with open_account(Settings()) as found:
        yield found
