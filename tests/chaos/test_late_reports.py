"""Results on their way to Step Functions through a bad network: each arrives, once, and before its task times out."""

import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio
import pytest

from tests.account import Account, unique
from tests.chaos.conftest import Engine
from tests.chaos.faults import Fault, Plan, always, mixed, no_faults, only
from tests.chaos.load import Load, recovering
from tests.chaos.proxy import Proxy, proxy_to
from tests.processes import Process, workers
from workers.errors import ExitCode

HEARTBEAT_SECONDS = 2
EXECUTIONS = 40
SEED = 3


@asynccontextmanager
async def working(
    account: Account, engine: Engine, faults: Plan, *, heartbeat: int, client: str = "auto", in_time: bool = True
) -> AsyncIterator[tuple[Load, Proxy, Process]]:
    """A worker behind `faults`. At its end each token has been reported, once and, unless told otherwise, in time."""
    namespace = unique("late")
    load = await Load.of(account, recovering(f"{namespace}--work", heartbeat=heartbeat))
    async with proxy_to(engine.url, faults=faults) as proxy:
        options = ("--namespace", namespace, "--account", "123456789012", "--log-format", "json", "--client", client)
        aws = engine.environment(through=proxy.url)
        async with workers("run", "tests.chaos.handlers:echo", *options, environment=aws) as worker:
            yield load, proxy, worker
            await load.ended()
            worker.send(signal.SIGTERM)
            assert await worker.ends() == ExitCode.OK
    print(proxy.record.summary())
    assert await load.statuses() == {"SUCCEEDED": len(load.executions)}
    if in_time:
        assert (await load.events())["ActivityTimedOut"] == 0
    assert not proxy.record.contradictions()


async def test_heartbeats_go_on_until_the_report_is_taken(account: Account, engine: Engine) -> None:
    faults = always("SendTaskSuccess", Fault.SERVER_ERROR)
    async with working(account, engine, faults, heartbeat=HEARTBEAT_SECONDS) as (load, proxy, worker):
        await load.start_one(1)
        await worker.says("report not delivered")
        await anyio.sleep(2 * HEARTBEAT_SECONDS)
        proxy.faults = no_faults


@pytest.mark.parametrize("client", ["auto", pytest.param("botocore", marks=pytest.mark.slow)])
async def test_reports_arrive_through_all_faults(account: Account, engine: Engine, client: str) -> None:
    faults = only("SendTask", mixed(0.4, seed=SEED))
    async with working(account, engine, faults, heartbeat=60, client=client) as (load, _, _):
        await load.run(range(EXECUTIONS), rate=50, window=EXECUTIONS)


@pytest.mark.slow
async def test_reports_arrive_through_all_faults_on_a_bad_day(bad_account: Account, bad_day: Engine) -> None:
    """What the bad day swallows on its way to the worker is handed out again after a missed heartbeat."""
    faults = only("SendTask", mixed(0.2, seed=SEED))
    async with working(bad_account, bad_day, faults, heartbeat=8, in_time=False) as (load, _, _):
        await load.run(range(EXECUTIONS), rate=20, window=EXECUTIONS)
