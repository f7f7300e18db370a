"""Workers that come and go while executions run: nothing is lost, nothing is said twice."""

import math
import signal
from collections import Counter
from dataclasses import dataclass, field, replace
from functools import partial

import anyio
import pytest

from tests.account import Account, unique
from tests.chaos.conftest import Engine
from tests.chaos.faults import Plan, mixed, no_faults
from tests.chaos.fleet import fleet
from tests.chaos.load import Load, recovering
from tests.chaos.proxy import proxy_to
from tests.chaos.recorder import Recorder
from workers.errors import ExitCode

SEED = 20_240_229


@dataclass(frozen=True)
class Size:
    """How much of it."""

    executions: int
    workers: int
    heartbeat: int
    """HeartbeatSeconds."""
    terminate_every: float
    kill_every: float
    replacements: float
    """Workers that are replaced, at most."""
    pollers: int
    rate: int
    """Executions that begin in a second, at most."""
    window: int
    """Executions at a time, at most."""
    client: str = "auto"

    def inputs(self) -> list[dict[str, float]]:
        """Most tasks are short; some live by their heartbeats."""
        long = self.heartbeat + 0.5
        return [{"number": number, "seconds": 0.02 if number % 20 else long} for number in range(self.executions)]


SHORT = Size(
    executions=60,
    workers=2,
    heartbeat=2,
    terminate_every=1,
    kill_every=1,
    replacements=2,
    pollers=3,
    rate=20,
    window=40,
)
WHOLE = Size(
    executions=2_000,
    workers=4,
    heartbeat=6,
    terminate_every=3,
    kill_every=5,
    replacements=math.inf,
    pollers=8,
    rate=60,
    window=120,
)
SIZES = pytest.mark.parametrize(
    "size",
    [
        pytest.param(SHORT, id="short"),
        pytest.param(replace(SHORT, client="botocore"), id="botocore", marks=pytest.mark.slow),
        pytest.param(WHOLE, id="whole", marks=[pytest.mark.slow, pytest.mark.timeout(900)]),
    ],
)


@dataclass
class Outcome:
    """What became of a load."""

    statuses: Counter[str]
    events: Counter[str]
    retired: list[int]
    """Exit codes of the workers that were replaced."""
    last: list[int]
    """Exit codes of the others, which were stopped by SIGTERM at the end."""
    record: Recorder = field(repr=False)


async def roll(
    account: Account, engine: Engine, size: Size, *, every: float, number: signal.Signals, faults: Plan
) -> Outcome:
    """Runs executions while every so often a worker is ended by `number` and another one is started."""
    namespace = unique("chaos")
    async with proxy_to(engine.url, faults=faults) as proxy:
        aws = engine.environment(through=proxy.url)
        options = ("--namespace", namespace, "--pollers", str(size.pollers), "--client", size.client)
        async with fleet("beating", size.workers, *options, environment=aws) as workers:
            load = await Load.of(account, recovering(f"{namespace}--work", heartbeat=size.heartbeat))
            async with anyio.create_task_group() as group:
                group.start_soon(partial(workers.keep_replacing, every=every, number=number, times=size.replacements))
                await load.run(size.inputs(), rate=size.rate, window=size.window)
                group.cancel_scope.cancel()
            retired = len(workers.retired)
            codes = await workers.exit_codes(within=90)
        print(proxy.record.summary())
        return Outcome(await load.statuses(), await load.events(), codes[:retired], codes[retired:], proxy.record)


@SIZES
async def test_a_rolling_deployment_needs_no_heartbeat_timeout(account: Account, engine: Engine, size: Size) -> None:
    every, number = size.terminate_every, signal.SIGTERM
    outcome = await roll(account, engine, size, every=every, number=number, faults=no_faults)
    print(outcome)
    assert outcome.statuses == {"SUCCEEDED": size.executions}
    assert outcome.events["ActivityTimedOut"] == 0
    assert not outcome.record.lost
    assert not outcome.record.contradictions()
    assert set(outcome.retired + outcome.last) == {ExitCode.OK}


@SIZES
async def test_a_rolling_deployment_under_faults(account: Account, engine: Engine, size: Size) -> None:
    every, number = size.terminate_every, signal.SIGTERM
    outcome = await roll(account, engine, size, every=every, number=number, faults=mixed(0.2, seed=SEED))
    print(outcome)
    assert outcome.statuses == {"SUCCEEDED": size.executions}
    if size.executions >= WHOLE.executions:  # of a few, it may be that no answer with a token was spoiled
        assert outcome.events["ActivityTimedOut"] >= 1
    assert not outcome.record.contradictions()
    assert set(outcome.retired + outcome.last) == {ExitCode.OK}


@SIZES
async def test_workers_that_are_killed_under_faults(account: Account, engine: Engine, size: Size) -> None:
    every, number = size.kill_every, signal.SIGKILL
    outcome = await roll(account, engine, size, every=every, number=number, faults=mixed(0.2, seed=SEED))
    print(outcome)
    assert outcome.statuses == {"SUCCEEDED": size.executions}
    assert not outcome.record.contradictions()
    assert set(outcome.retired) == {-signal.SIGKILL}
    assert set(outcome.last) == {ExitCode.OK}


@SIZES
async def test_a_rolling_deployment_on_a_bad_day(bad_account: Account, bad_day: Engine, size: Size) -> None:
    """Answers are lost, requests throttled, polls swallow tasks: what is lost comes back by its heartbeat."""
    every, number = size.terminate_every, signal.SIGTERM
    outcome = await roll(bad_account, bad_day, size, every=every, number=number, faults=no_faults)
    print(outcome)
    assert outcome.statuses == {"SUCCEEDED": size.executions}
    assert not outcome.record.contradictions()
    assert set(outcome.retired + outcome.last) == {ExitCode.OK}
