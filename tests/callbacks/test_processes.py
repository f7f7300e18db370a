"""Several processes, one of which is killed: every execution ends once, with the right result."""

import asyncio
import random
import signal

import pytest

from tests.callbacks.conftest import Shop, Shops
from tests.callbacks.process import FAILS
from tests.processes import python
from workers.local import LocalStepFunctions

MODULE = ("-m", "tests.callbacks.process")


@pytest.mark.parametrize(
    ("executions", "store"),
    [
        pytest.param(40, "sqlite", id="40"),
        pytest.param(500, "sqlite", id="500-sqlite", marks=[pytest.mark.slow, pytest.mark.timeout(600)]),
        pytest.param(500, "dynamodb", id="500-dynamodb", marks=[pytest.mark.slow, pytest.mark.timeout(600)]),
    ],
    indirect=["store"],
)
async def test_every_execution_ends_once_with_the_right_result(
    shops: Shops, engine: LocalStepFunctions, executions: int, store: str
):
    environment = engine.environment()
    keys = [f"key-{number}{FAILS * (number % 10 == 9)}" for number in range(executions)]
    async with shops(consume=False, visibility=2) as shop:
        here = (shop.environment, store)
        async with (
            python(*MODULE, "consume", *here, environment=environment) as doomed,
            python(*MODULE, "finish", *here, *keys, environment=environment) as first,
        ):
            await doomed.says("ready")
            await first.says("ready")
            running = dict(zip(keys, await started(shop, keys), strict=True))
            late = {key: running[key] for key in keys[:: max(1, executions // 10)]}
            for execution in late.values():
                await shop.account.client.stop_execution(executionArn=execution)
            async with (
                python(*MODULE, "finish", *here, *keys, environment=environment) as second,
                python(*MODULE, "finish", *here, *keys, environment=environment) as third,
            ):
                await half_done(shop, list(running.values()))
                doomed.send(signal.SIGKILL)
                async with python(*MODULE, "consume", *here, environment=environment) as heir:
                    ends = await asyncio.gather(*(shop.end(execution) for execution in running.values()))
                    for process in (first, second, third):
                        assert await process.ends(within=120) == 0
                    assert heir.running
    for (key, execution), end in zip(running.items(), ends, strict=True):
        right = (f"Failed.{key}", "") if key.endswith(FAILS) else {"key": key}
        assert end == right or (key in late and end == "ABORTED"), (key, execution)


async def started(shop: Shop, keys: list[str]) -> list[str]:
    """Starts an execution for each key, in random order."""
    order = random.sample(keys, len(keys))
    arns = {key: await shop.start(key) for key in order}
    return [arns[key] for key in keys]


async def half_done(shop: Shop, executions: list[str]) -> None:
    """Waits until some have ended and some have not."""
    while True:
        page = await shop.account.client.list_executions(
            stateMachineArn=shop.machine, statusFilter="RUNNING", maxResults=1000
        )
        if len(page["executions"]) < len(executions) * 0.8:
            return
        await asyncio.sleep(0.05)
