"""One embedded Step Functions for all tests of a process, started when the first one needs it; its clock skips.

It has a thread of its own: event loops come and go with each test.
"""

import threading
from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from anyio import to_thread
from anyio.from_thread import BlockingPortal, start_blocking_portal

import workers.logs  # noqa: F401 - before structlog, which would load rich
from workers.arns import LOCAL_ACCOUNT
from workers.local import LocalStepFunctions
from workers.settings import Settings
from workers.testing.client import EngineAccount, EngineClient


@dataclass(frozen=True, slots=True)
class TestEngine:
    """The engine, and the way to it."""

    __test__ = False  # its name is no invitation to pytest

    engine: LocalStepFunctions
    account: EngineAccount = field(repr=False)
    """To be used in any event loop."""
    portal: BlockingPortal = field(repr=False)
    """For what has no event loop."""


_lock = threading.Lock()
_open = ExitStack()
_engines: list[TestEngine] = []


def shared_engine() -> TestEngine:
    """The engine of this process. Blocks for a moment when it is the first to ask.

    Raises `MissingExtraError`.
    """
    with _lock:
        if not _engines:
            with ExitStack() as stack:
                portal = stack.enter_context(start_blocking_portal(name="engine for tests"))
                engine, account = stack.enter_context(portal.wrap_async_context_manager(_opened()))
                _open.push(stack.pop_all())
            _engines.append(TestEngine(engine, account, portal))
            # Not by atexit: before that comes, the interpreter waits for the engine's thread.
            threading._register_atexit(close_engine)  # type: ignore[attr-defined]  # noqa: SLF001
        return _engines[0]


async def the_engine() -> TestEngine:
    """The engine of this process, whose start blocks no event loop."""
    return _engines[0] if _engines else await to_thread.run_sync(shared_engine)


def close_engine() -> None:
    """Ends the engine, if there is one; the next to ask starts another."""
    with _lock:
        _engines.clear()
        _open.close()


@asynccontextmanager
async def _opened() -> AsyncIterator[tuple[LocalStepFunctions, EngineAccount]]:
    async with LocalStepFunctions(clock="skip") as engine:
        there: dict[str, Any] = {"local": True, "local_port": engine.port, "account": LOCAL_ACCOUNT}
        settings = Settings(**there).model_copy(update={"namespace": None})
        yield engine, EngineAccount(settings, EngineClient(engine))
