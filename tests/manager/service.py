"""The service in a thread of its own, for tests that are not asynchronous."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from anyio.from_thread import start_blocking_portal

from tests.account import ROLE
from tests.proxy import SESSION
from workers.local import LocalStepFunctions
from workers.manager.api.app import make_app
from workers.manager.manager import open_manager
from workers.manager.serving import serving
from workers.settings import Settings
from workers.stepfunctions.account import open_account


@contextmanager
def service(engine: LocalStepFunctions) -> Iterator[str]:
    """The URL of a service on the engine, with a store in memory."""
    with start_blocking_portal() as portal, pytest.MonkeyPatch.context() as patch:
        for name, value in engine.environment().items():
            patch.setenv(name, value)
        with portal.wrap_async_context_manager(open_account(Settings(), session=SESSION)) as account:
            manager = portal.wrap_async_context_manager(open_manager("sqlite://", account, role=ROLE))
            with manager as made, portal.wrap_async_context_manager(serving(make_app(made))) as url:
                yield url
