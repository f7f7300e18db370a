"""Handlers of the worker process that test_seen_from_outside watches; each logs, then waits for a file to appear."""

import asyncio
import logging
import os
import time
from pathlib import Path

import structlog

from workers import Registry

log = structlog.get_logger("observed")
stdlib = logging.getLogger("observed")
registry = Registry()


def there(go: str) -> bool:
    return Path(go).exists()


def wait(go: str) -> None:
    while not there(go):
        time.sleep(0.01)


@registry.activity(os.environ["OBSERVED"] + "-async")
async def in_loop(go: str) -> None:
    stdlib.warning("from %s", "the loop")
    log.warning("structured from the loop")
    while not there(go):
        await asyncio.sleep(0.01)


@registry.activity(os.environ["OBSERVED"] + "-thread")
def in_thread(go: str) -> None:
    stdlib.warning("from a thread")
    wait(go)


@registry.activity(os.environ["OBSERVED"] + "-process", process=True)
def in_process(go: str) -> None:
    stdlib.warning("from a process")
    wait(go)


@registry.activity(os.environ["OBSERVED"] + "-block")
async def block() -> None:
    time.sleep(1.3)  # noqa: ASYNC251 - the point of this handler
