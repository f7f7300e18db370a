"""An activity that is deleted while a worker polls it."""

import anyio
import pytest

from tests.account import PREFIX, SESSION, Account, task, unique
from tests.chaos.proxy import proxy_to
from workers import Registry, Settings, Worker
from workers.local import LocalStepFunctions


async def test_it_is_created_again_while_all_other_work_goes_on(
    account: Account, engine: LocalStepFunctions, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nothing is created before a poll misses something; then the one activity is, and its tasks come again."""
    registry, deleted, other = Registry(), unique("deleted"), unique("other")
    begun, end = anyio.Event(), anyio.Event()

    async def work(number: int) -> int:
        if number == 1:
            begun.set()
            await end.wait()
        return number

    for name in (deleted, other):
        registry.add(name, work)
    async with proxy_to(engine.url) as proxy:
        monkeypatch.setenv("AWS_ENDPOINT_URL", proxy.url)
        elsewhere = await account.start(task(other), {"number": 0})
        running = await account.start(task(deleted), {"number": 1})
        async with Worker(registry, Settings(grace=5), session=SESSION):
            assert (await account.ended(elsewhere))["status"] == "SUCCEEDED"
            await begun.wait()
            assert proxy.record.of("CreateActivity") == []
            machine = (await account.client.describe_execution(executionArn=running))["stateMachineArn"]
            async with proxy.holding("CreateActivity"):
                await account.client.delete_activity(activityArn=f"{PREFIX}:activity:{deleted}")
                await proxy.record.until(lambda: proxy.record.of("CreateActivity"))
                assert await account.output(task(other), {"number": 2}) == 2
                end.set()  # the task that began before the deletion is reported all the same
                assert (await account.ended(running))["status"] == "SUCCEEDED"
            await proxy.record.until(lambda: proxy.record.of("CreateActivity")[0].accepted)
            started = await account.client.start_execution(stateMachineArn=machine, input='{"number": 3}')
            found = await account.ended(started["executionArn"])
            assert (found["status"], found.get("output")) == ("SUCCEEDED", "3")
        created = [call.parameters["name"] for call in proxy.record.of("CreateActivity")]
    assert created == [deleted]
    lines = [line for line in capsys.readouterr().out.splitlines() if "activity created" in line]
    assert len(lines) == 1
    assert deleted in lines[0]
