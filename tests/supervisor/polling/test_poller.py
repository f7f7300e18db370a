"""Polls: how many, when, and what is done about the ones that fail."""

import anyio
import pytest

from tests.supervisor.scripted import Scripted, a_poller, an_activity, fault
from workers.errors import UsageError
from workers.settings import Settings
from workers.stepfunctions.protocol import ActivityMissingError, ActivityTask, DeniedError, ThrottledError
from workers.supervisor.drain import Drain
from workers.supervisor.polling import poller as poller_module
from workers.supervisor.polling.brake import Brake
from workers.supervisor.polling.poller import Poller
from workers.supervisor.polling.scale import Scale
from workers.supervisor.polling.slots import Budget, Slots


def a_task(number: int = 0) -> ActivityTask:
    return ActivityTask(f"token-{number}", "null")


async def test_a_slot_comes_before_a_poll() -> None:
    client, drain = Scripted(), Drain()
    client.answers["poll"] = [a_task(number) for number in range(5)]
    received: list[ActivityTask] = []
    poller = a_poller(
        client,
        an_activity(concurrency=2, pollers=2),
        drain=drain,
        started=lambda _, task: received.append(task),
    )
    async with anyio.create_task_group() as group:
        group.start_soon(poller.run)
        await anyio.wait_all_tasks_blocked()
        assert len(received) == 2  # both slots are taken: no poll is open, three tasks wait in Step Functions
        assert client.open == 0
        poller.slots.give()
        await anyio.wait_all_tasks_blocked()
        assert len(received) == 3
        drain.begin()
    assert poller.slots.used == 2


async def test_pollers_grow_while_polls_bring_tasks_and_shrink_when_they_are_empty() -> None:
    client, drain = Scripted(), Drain()
    activity = an_activity(Settings(initial_pollers=1, min_pollers=1), concurrency=50, pollers=4)
    poller = a_poller(client, activity, drain=drain, started=lambda *_: None)
    client.answers["poll"] = [a_task(number) for number in range(10)]
    async with anyio.create_task_group() as group:
        group.start_soon(poller.run)
        await anyio.wait_all_tasks_blocked()
        assert client.open == client.most_open == 4
        held, client.released = client.released, anyio.Event()
        held.set()
        await anyio.wait_all_tasks_blocked()
        while client.open == 0:  # a poll that was not held is not repeated at once
            await anyio.sleep(0.01)
        await anyio.sleep(0.2)
        assert client.open == 1
        drain.begin()
        client.released.set()
    assert poller.slots.used == 10


async def test_an_idle_activity_falls_to_one_poll_of_a_budget_whatever_its_minimum_is() -> None:
    client, drain, budget = Scripted(), Drain(), Budget(5, 2)
    activity = an_activity(Settings(min_pollers=3, initial_pollers=3, budget=5))
    poller = a_poller(client, activity, drain=drain, started=lambda *_: None, budget=budget)
    other = Slots(10, budget)
    async with anyio.create_task_group() as group:
        group.start_soon(poller.run)
        await anyio.wait_all_tasks_blocked()
        assert poller.slots.used == 3
        assert [other.try_take() for _ in range(3)] == [True, True, False]
        held, client.released = client.released, anyio.Event()
        held.set()
        while poller.slots.used != 1:
            await anyio.sleep(0.01)
        assert [other.try_take() for _ in range(3)] == [True, True, False]
        drain.begin()
        client.released.set()


async def test_throttling_halves_the_pollers_and_waits() -> None:
    client, drain = Scripted(), Drain()
    activity = an_activity(Settings(initial_pollers=8), concurrency=50, pollers=8)
    poller = a_poller(client, activity, drain=drain, started=lambda *_: None)
    client.answers["poll"] = [fault(ThrottledError, "ThrottlingException")] * 2
    async with anyio.create_task_group() as group:
        group.start_soon(poller.run)
        await anyio.wait_all_tasks_blocked()
        assert poller.scale.target == 2
        drain.begin()
        client.released.set()


async def test_a_poll_recovers_from_faults() -> None:
    client, drain = Scripted(), Drain()
    received = anyio.Event()
    poller = a_poller(client, an_activity(pollers=1), drain=drain, started=lambda *_: received.set())
    client.answers["poll"] = [fault(), fault(), a_task()]
    async with anyio.create_task_group() as group:
        group.start_soon(poller.run)
        await received.wait()
        drain.begin()
        client.released.set()
    first, second, third = client.times["poll"][:3]
    assert 0.1 <= second - first <= third - first


async def test_a_missing_activity_is_created_once_for_all_pollers() -> None:
    client, drain = Scripted(), Drain()
    received = anyio.Event()
    activity = an_activity(Settings(initial_pollers=4))
    poller = a_poller(client, activity, drain=drain, started=lambda *_: received.set())
    client.answers["poll"] = [fault(ActivityMissingError, "ActivityDoesNotExist")] * 4 + [a_task()]
    async with anyio.create_task_group() as group:
        group.start_soon(poller.run)
        await received.wait()
        drain.begin()
        client.released.set()
    assert [call for call in client.calls if call[0] == "create"] == [("create", "work")]


async def test_an_activity_that_may_not_be_created_is_shown() -> None:
    client, drain = Scripted(), Drain()
    denied = fault(DeniedError, "AccessDenied")
    client.answers["poll"] = [fault(ActivityMissingError, "ActivityDoesNotExist")]
    client.answers["create"] = [denied]
    poller = a_poller(client, an_activity(pollers=1), drain=drain, started=lambda *_: None)
    async with anyio.create_task_group() as group:
        group.start_soon(poller.run)
        while poller.trouble is None:
            await anyio.sleep(0.01)
        assert poller.trouble is denied
        drain.begin()


async def test_polls_that_are_answered_at_once_are_not_repeated_at_once() -> None:
    client, drain = Scripted(), Drain()
    client.answers["poll"] = [None] * 1000
    poller = a_poller(client, an_activity(pollers=1), drain=drain, started=lambda *_: None)
    async with anyio.create_task_group() as group:
        group.start_soon(poller.run)
        while len(client.times["poll"]) < 4:
            await anyio.sleep(0.01)
        drain.begin()
    first, *_, last = client.times["poll"][:4]
    assert last - first >= 0.25


@pytest.mark.parametrize(
    ("error", "create"),
    [(fault(ActivityMissingError, "ActivityDoesNotExist"), False), (fault(DeniedError, "AccessDenied"), True)],
    ids=["missing", "denied"],
)
async def test_what_only_a_person_can_mend_is_shown_and_retried_slowly(error: DeniedError, create: bool) -> None:
    client, drain = Scripted(), Drain()
    poller = a_poller(client, an_activity(pollers=1), drain=drain, started=lambda *_: None, create=create)
    client.answers["poll"] = [error]
    async with anyio.create_task_group() as group:
        group.start_soon(poller.run)
        await anyio.wait_all_tasks_blocked()
        assert poller.trouble is error
        assert client.open == 0  # it waits, and the drain does not wait for it
        drain.begin()


async def test_the_drain_waits_for_open_polls_and_their_tasks_are_run() -> None:
    client, drain = Scripted(), Drain()
    received: list[ActivityTask] = []
    poller = a_poller(client, an_activity(), drain=drain, started=lambda _, task: received.append(task))
    held = anyio.Event()

    async def late() -> ActivityTask:
        await held.wait()
        return a_task()

    client.get_activity_task = lambda *_: late()  # type: ignore[method-assign]
    async with anyio.create_task_group() as group:
        group.start_soon(poller.run)
        await anyio.wait_all_tasks_blocked()
        drain.begin()
        await anyio.wait_all_tasks_blocked()
        assert poller.open == 2
        held.set()
    assert len(received) == 2


@pytest.mark.parametrize(("period", "times"), [(None, 1), (0.05, 3)], ids=["within", "beyond"])
async def test_a_failing_poll_is_said_every_few_seconds_not_each_time(
    period: float | None, times: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert 1 <= poller_module._SAY_EVERY <= 10
    if period is not None:  # less than what lies between two polls that fail
        monkeypatch.setattr(poller_module, "_SAY_EVERY", period)
    client, drain = Scripted(), Drain()
    received = anyio.Event()
    poller = a_poller(client, an_activity(pollers=1), drain=drain, started=lambda *_: received.set())
    client.answers["poll"] = [fault(), fault(), fault(), a_task()]
    async with anyio.create_task_group() as group:
        group.start_soon(poller.run)
        await received.wait()
        drain.begin()
        client.released.set()
    lines = capsys.readouterr().out
    assert lines.count("poll failed") == times
    assert lines.count("polling again") == 1


def test_scale_stays_between_its_ends() -> None:
    scale = Scale(least=1, most=3, initial=9)
    assert scale.target == 3
    scale.full(free_slots=5)
    assert scale.target == 3
    for _ in range(5):
        scale.empty()
    assert scale.target == 1
    scale.full(free_slots=0)
    assert scale.target == 1
    scale.throttled()
    assert scale.target == 1
    assert Scale(least=5, most=2, initial=2).target == 2


async def test_in_a_budget_each_activity_owns_a_slot_and_the_rest_is_shared() -> None:
    budget = Budget(4, 2)
    busy, other = Slots(10, budget), Slots(10, budget)
    assert [busy.try_take() for _ in range(4)] == [True, True, True, False]  # its own and the two shared ones
    assert other.try_take()  # its own was kept for it
    assert not other.try_take()
    async with anyio.create_task_group() as group:
        group.start_soon(other.maybe_free)
        await anyio.wait_all_tasks_blocked()
        busy.give()
    assert other.try_take()
    assert (busy.used, other.used) == (2, 2)
    with pytest.raises(UsageError, match="--budget 1"):
        Budget(1, 2)


async def test_in_a_budget_an_idle_activity_falls_to_one_poller_and_leaves_the_rest_to_others() -> None:
    clients, drain, budget = (Scripted(), Scripted()), Drain(), Budget(6, 2)
    idle, busy = (
        a_poller(
            client,
            an_activity(Settings(initial_pollers=4), concurrency=10, pollers=4),
            drain=drain,
            started=lambda *_: None,
            budget=budget,
        )
        for client in clients
    )
    empty, full = clients
    empty.answers["poll"] = [None] * 10
    full.answers["poll"] = [a_task(number) for number in range(5)]
    async with anyio.create_task_group() as group:
        group.start_soon(idle.run)
        with anyio.fail_after(20):
            while empty.answers["poll"] or len(idle._polling) != 1 or idle.open != 1:  # the others may be in a pause
                await anyio.sleep(0.01)
        assert idle.slots.used == 1
        group.start_soon(busy.run)
        await anyio.wait_all_tasks_blocked()
        assert (idle.slots.used, busy.slots.used) == (1, 5)
        drain.begin()
        for client in clients:
            client.released.set()


async def test_a_rate_counts_tasks_and_forgives_empty_polls() -> None:
    brake = Brake("work", rate=2.0, breaker=None, breaker_pause=1)
    assert [brake.delay() for _ in range(2)] == [0.0, 0.0]
    assert 0 < brake.delay() <= 0.5
    brake.unused()
    assert brake.delay() == 0.0


async def test_the_breaker_trips_at_its_number_and_again_until_a_success() -> None:
    brake = Brake("work", rate=None, breaker=2, breaker_pause=60)
    brake.failed()
    assert brake.delay() == 0.0
    brake.failed()
    assert 59 < brake.delay() <= 60
    brake = Brake("work", rate=None, breaker=2, breaker_pause=60)
    brake.failed()
    brake.succeeded()
    brake.failed()
    assert brake.delay() == 0.0


async def test_a_paused_activity_holds_no_slot() -> None:
    client, drain = Scripted(), Drain()
    poller: Poller = a_poller(client, an_activity(), drain=drain, started=lambda *_: None)
    poller.brake.pause(60, "asked for")
    async with anyio.create_task_group() as group:
        group.start_soon(poller.run)
        await anyio.wait_all_tasks_blocked()
        assert (client.open, poller.slots.used) == (0, 0)
        drain.begin()
