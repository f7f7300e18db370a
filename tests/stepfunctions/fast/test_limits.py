"""How long calls may take, how many may be open, and that polls and reports do not stand in each other's way."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import pytest

from tests.stepfunctions.fast.server import Request, answer, serving
from tests.stepfunctions.fast.test_client import ARN, TASK
from workers.stepfunctions.client import Timeouts
from workers.stepfunctions.fast.client import FastClient
from workers.stepfunctions.fast.pool import Endpoint
from workers.stepfunctions.protocol import ActivityTask, TransientError


@dataclass
class Frozen:
    access_key: str = "key"
    secret_key: str = "secret"
    token: str | None = None


class Keys:
    async def get_frozen_credentials(self) -> Frozen:
        return Frozen()


@asynccontextmanager
async def a_client(endpoint: Endpoint, timeouts: Timeouts, size: int = 2) -> AsyncIterator[FastClient]:
    sizes = {"polls": size, "reports": size}
    client = FastClient(
        endpoint=endpoint, region="us-east-1", service="states", credentials=Keys(), timeouts=timeouts, **sizes
    )
    try:
        yield client
    finally:
        client.close()


def here(port: int) -> Endpoint:
    return Endpoint("127.0.0.1", port, "/", None)


async def test_a_report_times_out_before_a_poll_does() -> None:
    answering = asyncio.Event()

    async def hold(_: Request, writer: asyncio.StreamWriter) -> None:
        await answering.wait()
        writer.write(TASK)

    async with serving(hold) as served, a_client(here(served.port), Timeouts(5, 60, 0.05)) as client:
        poll = asyncio.create_task(client.get_activity_task(ARN, "me"))
        for report in (client.send_task_heartbeat("t"), client.send_task_success("t", "1")):
            with pytest.raises(TransientError, match=f"TimeoutError: 127.0.0.1:{served.port}"):
                await report
        answering.set()
        assert await poll == ActivityTask("token", '{"x":1}')


async def test_a_poll_has_a_timeout_too() -> None:
    async def hold(_: Request, __: asyncio.StreamWriter) -> None:
        await asyncio.sleep(60)

    async with serving(hold) as served, a_client(here(served.port), Timeouts(5, 0.05, 5)) as client:
        with pytest.raises(TransientError, match="GetActivityTask: TimeoutError"):
            await client.get_activity_task(ARN, "me")


async def test_polls_that_are_held_keep_no_report_waiting() -> None:
    held, answering = 0, asyncio.Event()

    async def answer_reports(request: Request, writer: asyncio.StreamWriter) -> None:
        nonlocal held
        if request.headers["x-amz-target"].endswith("GetActivityTask"):
            held += 1
            await answering.wait()
        writer.write(answer())

    async with serving(answer_reports) as served, a_client(here(served.port), Timeouts(5, 60, 10)) as client:
        polls = [asyncio.create_task(client.get_activity_task(ARN, "me")) for _ in range(5)]
        async with asyncio.timeout(30):
            while held < 2:
                await asyncio.sleep(0.001)
            await asyncio.gather(*(client.send_task_heartbeat("token") for _ in range(20)))
        assert held == 2
        assert served.connections <= 4
        answering.set()
        assert await asyncio.gather(*polls) == [None] * 5
    assert served.connections <= 4
