"""A network that swallows everything for a while, and what happens when it comes back: also on a bad day of AWS."""

import signal
import time
from datetime import UTC, datetime
from functools import partial

import anyio
import pytest

from tests.account import Account, task, unique
from tests.chaos.conftest import Engine
from tests.chaos.load import Load, recovering
from tests.chaos.proxy import Proxy, proxy_to
from tests.processes import workers
from workers.errors import ExitCode
from workers.stepfunctions.client import POLL_READ_TIMEOUT

RECOVERY = 10.0
"""Seconds after which all works again."""
REPORTS = 6
"""Results that wait for the end of the black hole; their repeats are spread over time."""
LENGTHS = pytest.mark.parametrize(
    "dark",
    [
        pytest.param(3.0, id="short"),
        pytest.param(60.0, id="whole", marks=[pytest.mark.slow, pytest.mark.timeout(300)]),
    ],
)


async def beat_again(proxy: Proxy, *, after: float) -> float:
    """Waits for a heartbeat that was accepted `after` then, and says how many seconds later that was."""

    def answers() -> list[float]:
        calls = [call for call in proxy.record.of("SendTaskHeartbeat") if call.accepted]
        return [call.answered for call in calls if call.answered and call.answered > after]

    await proxy.record.until(answers)
    return answers()[0] - after


def waiting(proxy: Proxy, *, since: float) -> set[str]:
    """The tasks whose results have been reported `since` then."""
    return {call.parameters["taskToken"] for call in proxy.record.of("SendTaskSuccess", since=since)}


async def succeeded(account: Account, executions: list[str], *, after: datetime) -> float:
    """Waits until all have succeeded, and says how many seconds `after` then the last one did, by its history.

    What a test waits for is not what it judges: how soon it sees an end depends on what else its machine does.
    """
    ends = [await account.ended(execution) for execution in executions]
    assert {found["status"] for found in ends} == {"SUCCEEDED"}
    return float(max((found["stopDate"] - after).total_seconds() for found in ends))


@LENGTHS
async def test_all_recovers_after_a_black_hole(account: Account, engine: Engine, dark: float) -> None:
    """Side by side, because both have to wait: one with a reset of what was swallowed, one without."""
    async with anyio.create_task_group() as group:
        for reset in (True, False):
            group.start_soon(partial(pass_through, account, engine, dark, reset=reset))


async def pass_through(account: Account, engine: Engine, dark: float, *, reset: bool) -> None:
    namespace = unique("dark")
    load = await Load.of(account, task(f"{namespace}--work"))
    async with proxy_to(engine.url) as proxy:
        options = ("--namespace", namespace, "--account", "123456789012", "--log-format", "json", "--heartbeat", "1")
        aws = engine.environment(through=proxy.url)
        async with workers("run", "tests.chaos.handlers:in_loop", *options, environment=aws) as worker:
            beating = await load.start_one({"seconds": 3600})
            reported = [await load.start_one({"seconds": 2.5 + number / 10}) for number in range(REPORTS)]
            await worker.says("handler begun", times=1 + REPORTS)
            proxy.darken()
            darkened = time.monotonic()
            await anyio.sleep(dark)
            await proxy.record.until(lambda: len(waiting(proxy, since=darkened)) > REPORTS / 2)
            proxy.lighten(reset=reset)
            lightened, then = time.monotonic(), datetime.now(UTC)
            fresh = await load.start_one({"seconds": 0})
            assert await beat_again(proxy, after=lightened) <= RECOVERY
            assert await succeeded(account, reported, after=then) <= RECOVERY
            if reset or dark > RECOVERY:
                within = RECOVERY if reset else darkened + POLL_READ_TIMEOUT + RECOVERY - lightened
                assert await succeeded(account, [fresh], after=then) <= within
                await account.client.stop_execution(executionArn=beating)
                worker.send(signal.SIGTERM)
                assert await worker.ends() == ExitCode.OK


@pytest.mark.slow
@pytest.mark.parametrize("reset", [True, False])
async def test_all_recovers_after_a_black_hole_on_a_bad_day(
    bad_account: Account, bad_day: Engine, *, reset: bool
) -> None:
    """What the hole and the bad day swallow between them comes back by its heartbeat; nothing is said twice."""
    namespace = unique("dark")
    load = await Load.of(bad_account, recovering(f"{namespace}--work", heartbeat=4))
    async with proxy_to(bad_day.url) as proxy:
        options = ("--namespace", namespace, "--account", "123456789012", "--log-format", "json", "--heartbeat", "1")
        aws = bad_day.environment(through=proxy.url)
        async with workers("run", "tests.chaos.handlers:in_loop", *options, environment=aws) as worker:
            for number in range(2 * REPORTS):
                await load.start_one({"seconds": 0.5 + number / 4})
            await worker.says("handler begun", times=REPORTS)
            proxy.darken()
            await anyio.sleep(3)
            proxy.lighten(reset=reset)
            with anyio.fail_after(POLL_READ_TIMEOUT + 5 * RECOVERY):
                await load.ended()
            worker.send(signal.SIGTERM)
            assert await worker.ends(within=POLL_READ_TIMEOUT + RECOVERY) == ExitCode.OK
    assert await load.statuses() == {"SUCCEEDED": 2 * REPORTS}
    assert not proxy.record.contradictions()
