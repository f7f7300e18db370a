"""What the workers of these tests run, one registry for each kind of handler. Each says when it has begun."""

import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import anyio

from workers import Registry, Task

in_loop, in_thread, in_process = Registry(), Registry(), Registry()
endless, stubborn, echo, beating, strict = Registry(), Registry(), Registry(), Registry(), Registry()
deployed, saving, saving_in_thread, stuck = Registry(), Registry(), Registry(), Registry()


def _say(event: str) -> None:
    print(f'{{"event": "{event}"}}', file=sys.stderr, flush=True)


def _begun() -> None:
    _say("handler begun")


@asynccontextmanager
async def _never_ready() -> AsyncIterator[None]:
    _say("lifespan begun")
    await anyio.sleep_forever()
    yield


@asynccontextmanager
async def _never_closed() -> AsyncIterator[None]:
    try:
        _say("lifespan begun")
        await anyio.sleep_forever()
        yield
    finally:
        with anyio.CancelScope(shield=True):
            await anyio.sleep_forever()


@asynccontextmanager
async def _never_left() -> AsyncIterator[None]:
    yield
    with anyio.CancelScope(shield=True):
        await anyio.sleep_forever()


never_ready, never_closed = Registry(lifespan=_never_ready), Registry(lifespan=_never_closed)
never_left = Registry(lifespan=_never_left)


@never_ready.activity("work")
@never_closed.activity("work")
async def never() -> None:
    """Never runs."""


@in_loop.activity("work")
@never_left.activity("work")
async def sleep(seconds: float) -> str:
    _begun()
    await anyio.sleep(seconds)
    return "done"


@in_thread.activity("work")
def sleep_in_thread(seconds: float, task: Task) -> str:
    _begun()
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        task.check()
        time.sleep(0.02)
    return "done"


@in_process.activity("work", process=True)
def sleep_in_process(seconds: float) -> str:
    _begun()
    time.sleep(seconds)
    return "done"


@endless.activity("work")
def never_end() -> None:
    _begun()
    while True:
        time.sleep(1)


@stubborn.activity("work")
async def swallow_cancellation() -> None:
    _begun()
    while True:
        try:
            await anyio.sleep(1)
        except anyio.get_cancelled_exc_class():
            await anyio.lowlevel.cancel_shielded_checkpoint()


@saving.activity("work")
async def save(task: Task) -> str:
    _begun()
    await task.draining
    return "saved"


@saving_in_thread.activity("work")
def save_in_thread(task: Task) -> str:
    _begun()
    while not task.draining.is_set():
        time.sleep(0.02)
    return "saved"


@echo.activity("work", heartbeat=0.5)
async def echo_soon(event: Any, /) -> Any:
    await anyio.sleep(0.02)
    return event


@beating.activity("work", heartbeat=0.5)
async def take(number: int, seconds: float) -> int:
    await anyio.sleep(seconds)
    return number


@deployed.activity("work", heartbeat=0.25)
async def take_as_deployed(number: int, seconds: float) -> int:
    _begun()
    await anyio.sleep(seconds)
    return number


@stuck.activity("work", heartbeat=0.25)
async def hang_once(marker: str | None = None) -> str:
    """Never ends, where it is the first to see the file `marker` missing."""
    _begun()
    if marker is not None:
        try:
            await anyio.Path(marker).touch(exist_ok=False)
        except FileExistsError:
            return "done"
        await anyio.sleep_forever()
    return "done"


@strict.activity("work")
async def add(x: int, y: float = 0.5, name: str = "", items: list[int] | None = None) -> float:
    return x + y
