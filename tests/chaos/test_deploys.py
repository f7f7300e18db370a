"""Deployments, as an orchestrator does them: ten on a bad day of AWS, and one in which an old worker is stuck."""

import signal
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import anyio
import pytest

from tests.account import Account, unique
from tests.chaos.conftest import Engine
from tests.chaos.load import Load, recovering
from tests.chaos.orchestrator import Orchestrator
from workers.errors import ExitCode

EXECUTIONS = 500
ROLLOUTS = 10
AFTERWARDS = 40
"""Executions that begin after the last deployment."""
WORK = (0.1, 0.4, 1.5)
"""Seconds of a task."""
SLOWER = 5.0
"""Seconds that an execution may take beyond its own work."""
HEARTBEAT = 1
"""HeartbeatSeconds: what the bad day swallows comes back after it, and after the second that a retry waits."""


@pytest.mark.slow
@pytest.mark.timeout(300)
async def test_ten_deployments_lose_nothing_and_slow_nobody_down(
    bad_account: Account, bad_day: Engine, unused_tcp_port_factory: Callable[[], int]
) -> None:
    namespace = unique("deploys")
    load = await Load.of(bad_account, recovering(f"{namespace}--work", heartbeat=HEARTBEAT))
    command = [
        "run", "tests.chaos.handlers:deployed", "--namespace", namespace, "--account", "123456789012",
        "--log-format", "json", "--concurrency", "30", "--stop-grace", "40", "--grace", "10",
    ]  # fmt: skip
    orchestrator = Orchestrator(command, bad_day.environment(), size=2, grace=40, free_port=unused_tcp_port_factory)
    async with orchestrator:
        await orchestrator.roll(0)
        rolled = anyio.Event()
        async with anyio.create_task_group() as group:
            group.start_soon(deploy, orchestrator, rolled)
            await start_until(load, rolled)
        await load.ended()
        codes = await orchestrator.end()
    print([(pod.release, pod.handled()) for pod in orchestrator.pods])
    slow = await slowness(load)
    print(f"{len(load.executions)} executions, the slowest beyond its work: {max(slow):.2f} s")
    assert len(load.executions) >= EXECUTIONS
    assert await load.statuses() == {"SUCCEEDED": len(load.executions)}
    assert set(codes) == {ExitCode.OK}
    assert not any(pod.killed for pod in orchestrator.pods)
    assert {pod.release for pod in orchestrator.pods if pod.handled()} == set(range(ROLLOUTS + 1))
    assert max(slow) < SLOWER


@pytest.mark.slow
@pytest.mark.timeout(180)
async def test_an_old_worker_that_is_stuck_is_killed_after_the_grace_and_its_task_comes_back(
    account: Account, engine: Engine, unused_tcp_port_factory: Callable[[], int], tmp_path: Path
) -> None:
    namespace, marker = unique("stuck"), tmp_path / "begun"
    load = await Load.of(account, recovering(f"{namespace}--work", heartbeat=5))
    command = [
        "run", "tests.chaos.handlers:stuck", "--namespace", namespace, "--account", "123456789012",
        "--log-format", "json", "--stop-grace", "600", "--grace", "500",
    ]  # fmt: skip
    # It has more time for its tasks than the orchestrator leaves it; the other needs no more than its open polls take.
    orchestrator = Orchestrator(command, engine.environment(), size=2, grace=20, free_port=unused_tcp_port_factory)
    async with orchestrator:
        await orchestrator.roll(0)
        await load.start_one({"marker": str(marker)})
        while not marker.exists():
            await anyio.sleep(0.05)
        await orchestrator.roll(1)
        for _ in range(10):
            await load.start_one({})
        await load.ended()
        old = orchestrator.pods[:2]
        codes = await orchestrator.end()
    assert sorted(codes[:2]) == [-signal.SIGKILL, ExitCode.OK]
    assert codes[2:] == [ExitCode.OK] * 2
    (killed,) = [pod for pod in old if pod.killed]
    assert killed.handled() >= 1
    assert any(line.get("event") == "draining" for line in killed.process.said)
    assert await load.statuses() == {"SUCCEEDED": 11}
    assert (await load.events())["ActivityTimedOut"] == 1


async def deploy(orchestrator: Orchestrator, rolled: anyio.Event) -> None:
    """One release after the other."""
    for release in range(1, ROLLOUTS + 1):
        await orchestrator.roll(release)
        await anyio.sleep(0.5)
    rolled.set()


async def start_until(load: Load, rolled: anyio.Event) -> None:
    """Starts executions all the while: as many as are wanted, and some for the last release."""
    wanted = EXECUTIONS
    while not rolled.is_set() or len(load.executions) < wanted:
        if not rolled.is_set():
            wanted = max(EXECUTIONS, len(load.executions) + AFTERWARDS)
        number = len(load.executions)
        await load.start_one({"number": number, "seconds": WORK[number % len(WORK)]})
        await anyio.sleep(0.08)


async def slowness(load: Load) -> list[float]:
    """Seconds that each execution took beyond its own work."""
    work = {arn: WORK[number % len(WORK)] for number, arn in enumerate(load.executions)}
    return [
        (one["stopDate"] - one["startDate"]) / timedelta(seconds=1) - work[one["executionArn"]]
        async for one in load.listed()
    ]
