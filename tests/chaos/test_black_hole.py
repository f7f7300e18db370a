"""A network that swallows everything for a while, and what happens when it comes back."""

import signal
import time

import anyio
import pytest

from tests.account import Account, task, unique
from tests.chaos.conftest import Engine
from tests.chaos.proxy import Proxy, proxy_to
from tests.processes import workers
from workers.errors import ExitCode
from workers.stepfunctions.client import POLL_READ_TIMEOUT

RECOVERY = 10.0
"""Seconds after which all works again."""
LENGTHS = pytest.mark.parametrize(
    "dark",
    [
        pytest.param(3.0, id="short"),
        pytest.param(60.0, id="whole", marks=[pytest.mark.slow, pytest.mark.timeout(300)]),
    ],
)


async def accepted(proxy: Proxy, operation: str, *, after: float) -> None:
    """Waits for the first call that Step Functions took `after` then, and says how long that lasted."""
    calls = proxy.record
    await calls.until(lambda: any(call.accepted and call.answered > after for call in calls.of(operation)))
    print(f"{operation} accepted {time.monotonic() - after:.2f} s after the end of the black hole")


@LENGTHS
@pytest.mark.parametrize("reset", [True, False], ids=["reset", "silent"])
async def test_all_recovers_after_a_black_hole(account: Account, engine: Engine, *, dark: float, reset: bool) -> None:
    namespace = unique("dark")
    activity = f"{namespace}--work"
    async with proxy_to(engine.url) as proxy:
        options = ("--namespace", namespace, "--account", "123456789012", "--log-format", "json", "--heartbeat", "1")
        aws = engine.environment(through=proxy.url)
        async with workers("run", "tests.chaos.handlers:in_loop", *options, environment=aws) as worker:
            beating = await account.start(task(activity), {"seconds": 3600})
            reported = await account.start(task(activity), {"seconds": 1})
            await worker.says("handler begun", times=2)
            proxy.darken()
            darkened = time.monotonic()
            await proxy.record.until(lambda: proxy.record.of("SendTaskSuccess"))
            await anyio.sleep(darkened + dark - time.monotonic())
            assert all(poll.answered or not poll.status for poll in proxy.record.of("GetActivityTask", since=darkened))
            proxy.lighten(reset=reset)
            lightened = time.monotonic()
            with anyio.fail_after(RECOVERY):
                async with anyio.create_task_group() as group:
                    for operation in ("SendTaskHeartbeat", "SendTaskSuccess"):
                        group.start_soon(lambda name=operation: accepted(proxy, name, after=lightened))
            assert (await account.ended(reported))["status"] == "SUCCEEDED"
            if reset or dark > 10:
                fresh = await account.start(task(activity), {"seconds": 0})
                with anyio.fail_after(RECOVERY if reset else darkened + POLL_READ_TIMEOUT + RECOVERY - lightened):
                    assert (await account.ended(fresh))["status"] == "SUCCEEDED"
                print(f"a new execution ended {time.monotonic() - lightened:.2f} s after the end of the black hole")
                await account.client.stop_execution(executionArn=beating)
                worker.send(signal.SIGTERM)
                assert await worker.ends() == ExitCode.OK
