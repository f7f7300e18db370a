"""What a dropped poll costs: the proof that these tests would notice a worker that drops one."""

import signal
from contextlib import AbstractAsyncContextManager

import pytest

from tests.account import PREFIX, Account, unique
from tests.chaos.conftest import Engine
from tests.chaos.load import Load, recovering
from tests.chaos.proxy import Proxy, proxy_to
from tests.processes import Process, python, workers
from workers.errors import ExitCode

POLLS = 2
"""That a worker has open when it is stopped."""
EXECUTIONS = 4


class Scene:
    """A proxy, and a load that starts while a worker is being stopped."""

    def __init__(self, account: Account, engine: Engine, proxy: Proxy) -> None:
        self.proxy = proxy
        self.aws = engine.environment(through=proxy.url)
        self.namespace = unique("dropped")
        self.activity = f"{self.namespace}--work"
        self.account = account

    def ours(self) -> AbstractAsyncContextManager[Process]:
        """A worker of this project."""
        options = ("--namespace", self.namespace, "--account", "123456789012", "--log-format", "json")
        return workers("run", "tests.chaos.handlers:echo", *options, environment=self.aws)

    async def lost(self, stopped: AbstractAsyncContextManager[Process], says: str | None) -> tuple[int, int]:
        """Stops a worker whose polls are on their way, starts executions, lets the polls arrive.

        Gives how many tasks were handed out to nobody, and how many had to time out.
        """
        load = await Load.of(self.account, recovering(self.activity, heartbeat=2))
        async with stopped as process:
            async with self.proxy.holding("GetActivityTask"):
                await self.proxy.record.until(lambda: len(self.proxy.record.of("GetActivityTask")) == POLLS)
                process.send(signal.SIGTERM)
                await (process.says(says) if says else process.ends())
                for number in range(EXECUTIONS):
                    await load.start_one(number)
            async with self.ours():
                await load.ended()
            assert await process.ends() == ExitCode.OK
        assert await load.statuses() == {"SUCCEEDED": EXECUTIONS}
        return len(self.proxy.record.lost), (await load.events())["ActivityTimedOut"]


async def test_our_worker_loses_no_task_when_it_is_stopped(account: Account, engine: Engine) -> None:
    async with proxy_to(engine.url) as proxy:
        scene = Scene(account, engine, proxy)
        assert await scene.lost(scene.ours(), says="draining") == (0, 0)


async def test_a_worker_that_cancels_its_polls_loses_as_many_tasks(account: Account, engine: Engine) -> None:
    async with proxy_to(engine.url) as proxy:
        scene = Scene(account, engine, proxy)
        arn = f"{PREFIX}:activity:{scene.activity}"
        careless = python("-m", "tests.chaos.careless", arn, environment=scene.aws)
        assert await scene.lost(careless, says=None) == (POLLS, POLLS)


@pytest.mark.slow
async def test_our_worker_drops_no_poll_on_a_bad_day(bad_account: Account, bad_day: Engine) -> None:
    """Some answers are lost on the way, but not for a poll that the worker gave up."""
    async with proxy_to(bad_day.url) as proxy:
        scene = Scene(bad_account, bad_day, proxy)
        lost, _ = await scene.lost(scene.ours(), says="draining")
        assert lost == 0


@pytest.mark.slow
async def test_a_worker_that_cancels_its_polls_is_noticed_on_a_bad_day(bad_account: Account, bad_day: Engine) -> None:
    async with proxy_to(bad_day.url) as proxy:
        scene = Scene(bad_account, bad_day, proxy)
        arn = f"{PREFIX}:activity:{scene.activity}"
        careless = python("-m", "tests.chaos.careless", arn, environment=scene.aws)
        lost, timed_out = await scene.lost(careless, says=None)
        assert lost <= POLLS  # Step Functions may lose the answer to a dropped poll, too, with the task in it
        assert timed_out >= POLLS
