"""Scale-in protection on ECS, against a stand-in of the agent's endpoint."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio
import pytest

from tests.supervisor.outside.ecs_agent import Agent, ecs_agent
from tests.supervisor.outside.standins import Log
from workers.backoff import Backoff
from workers.supervisor.outside.ecs import ScaleInProtection

HELD = {"ProtectionEnabled": True, "ExpiresInMinutes": 10}
RELEASED = {"ProtectionEnabled": False}


@pytest.fixture
def log(monkeypatch: pytest.MonkeyPatch) -> Log:
    log = Log()
    monkeypatch.setattr("workers.supervisor.outside.ecs.log", log)
    return log


@pytest.fixture
async def agent() -> AsyncIterator[Agent]:
    async with ecs_agent() as agent:
        yield agent


class Work:
    busy = False

    def __call__(self) -> bool:
        return self.busy


@asynccontextmanager
async def protecting(uri: str, work: Work, **options: float) -> AsyncIterator[None]:
    protection = ScaleInProtection(uri, work, look_every=0.01, **{"linger": 0.02, **options})
    protection._backoff = Backoff(initial=0.01, maximum=0.02)
    async with anyio.create_task_group() as group:
        group.start_soon(protection.run)
        yield
        group.cancel_scope.cancel()


async def test_protection_is_held_while_tasks_run_and_released_when_idle(agent: Agent, log: Log) -> None:
    work = Work()
    async with protecting(agent.uri, work):
        work.busy = True
        assert await agent.next_put() == HELD
        work.busy = False
        assert await agent.next_put() == RELEASED
        work.busy = True
        assert await agent.next_put() == HELD

    assert await agent.next_put() == RELEASED  # at the end, whatever runs
    assert [event for event, _ in log.events] == ["scale-in protection held", "scale-in protection released"] * 2


async def test_protection_is_renewed_while_a_task_runs(agent: Agent, log: Log) -> None:
    work = Work()
    work.busy = True
    async with protecting(agent.uri, work, renew_after=0.03):
        for _ in range(3):
            assert await agent.next_put() == HELD
    assert len(log.named("scale-in protection held")) == 1


async def test_an_idle_worker_asks_for_nothing(agent: Agent, log: Log) -> None:
    looked = anyio.Event()

    class Idle:
        looks = 0

        def __call__(self) -> bool:
            self.looks += 1
            if self.looks == 5:
                looked.set()
            return False

    async with protecting(agent.uri, Idle()):
        await looked.wait()

    assert agent.puts.empty()
    assert log.events == []


@pytest.mark.parametrize(
    ("status", "body", "problem"),
    [
        (
            200,
            {"failure": {"Arn": "arn", "Detail": "no service", "Reason": "TASK_NOT_VALID"}},
            "TASK_NOT_VALID: no service",
        ),
        (400, {"error": {"Arn": "arn", "Code": "InvalidParameter", "Message": "wrong"}}, "InvalidParameter: wrong"),
        (500, {}, "HTTP status 500"),
        (200, {"error": None, "failure": {"Reason": "THROTTLED", "Detail": None}}, "THROTTLED: None"),
        (200, {"error": "not an object"}, "not an object"),
        (200, {"failure": ["not", "an", "object"]}, "['not', 'an', 'object']"),
    ],
)
async def test_a_refusal_is_logged_once_and_tried_again(
    agent: Agent, log: Log, status: int, body: dict, problem: str
) -> None:
    agent.answers = [(status, body), (status, body)]
    work = Work()
    work.busy = True
    async with protecting(agent.uri, work):
        for _ in range(3):
            assert await agent.next_put() == HELD

    assert [line["error"] for line in log.named("scale-in protection failed")] == [problem]
    assert len(log.named("scale-in protection held")) == 1


async def test_an_agent_that_is_not_there_harms_nothing(log: Log) -> None:
    async with ecs_agent() as gone:
        uri = gone.uri
    work = Work()
    work.busy = True
    async with protecting(uri, work):
        with anyio.fail_after(10):
            while not log.events:
                await anyio.sleep(0.01)
    assert log.events[0][0] == "scale-in protection failed"
    assert len(log.events) == 1


async def test_the_agent_may_answer_what_it_likes(agent: Agent, log: Log) -> None:
    agent.answers = [(200, ["not", "an", "object"])]
    work = Work()
    work.busy = True
    async with protecting(agent.uri, work):
        assert await agent.next_put() == HELD
    assert log.named("scale-in protection failed") == []
