"""A rate on a running worker, by a clock that the test moves: what is counted is what Step Functions started."""

import anyio
import pytest

from tests.account import Account, task, unique
from tests.supervisor.test_worker import working
from workers import Registry
from workers.supervisor.polling import brake

RATE, TASKS = 4, 10


class Clock:
    """Stands still until it is moved, and counts how often it was asked."""

    def __init__(self) -> None:
        self.now = 1_000.0
        self.asked = 0

    def __call__(self) -> float:
        self.asked += 1
        return self.now


async def test_no_more_tasks_begin_than_the_rate_of_their_activity_allows(
    account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock, registry = Clock(), Registry()
    monkeypatch.setattr(brake, "monotonic", clock)
    limited, free = unique("limited"), unique("free")
    registry.add(limited, lambda event, /: event, rate=RATE)
    registry.add(free, lambda event, /: event)

    async def began(executions: list[str]) -> int:
        histories = [await account.events(execution) for execution in executions]
        return sum(event["type"] == "ActivityStarted" for history in histories for event in history)

    async def held_back() -> None:
        """Waits until polls have been refused again and again, by a clock that stands still."""
        before = clock.asked
        while clock.asked < before + 4:
            await anyio.sleep(0.01)

    async def begin(name: str) -> list[str]:
        return [await account.start(task(name), number) for number in range(TASKS)]

    async with working(registry):
        with anyio.fail_after(60):
            slowly, freely = await begin(limited), await begin(free)
            assert [(await account.ended(execution))["status"] for execution in freely] == ["SUCCEEDED"] * TASKS
            for seconds, allowed in ((0.0, RATE), (0.5, RATE + RATE // 2), (600.0, TASKS)):
                clock.now += seconds
                while await began(slowly) < allowed:
                    await anyio.sleep(0.01)
                if allowed < TASKS:
                    await held_back()
                    assert await began(slowly) == allowed
            assert [(await account.ended(execution))["status"] for execution in slowly] == ["SUCCEEDED"] * TASKS
