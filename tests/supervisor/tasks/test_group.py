"""The group in which activity tasks and heartbeats run."""

import asyncio

import anyio
import pytest

from workers.supervisor.tasks.group import CancellableGroup


async def test_all_that_runs_is_cancelled_at_once_and_the_group_ends() -> None:
    ended: list[int] = []

    async def work(number: int) -> None:
        try:
            await asyncio.sleep(3_600 if number else 0)
        finally:
            ended.append(number)

    async with CancellableGroup() as group:
        for number in range(5):
            group.start(work(number), f"work {number}")
        await asyncio.sleep(0.01)
        assert ended == [0]
        group.cancel()
    assert sorted(ended) == [0, 1, 2, 3, 4]
    assert not group._running


async def test_a_task_that_fails_takes_the_others_with_it() -> None:
    async def broken() -> None:
        raise LookupError("lost")

    async def both() -> None:
        async with CancellableGroup() as group:
            group.start(asyncio.sleep(3_600), "other")
            group.start(broken(), "broken")

    with pytest.raises(ExceptionGroup) as raised:
        await both()
    assert isinstance(raised.value.exceptions[0], LookupError)


async def test_a_scope_of_anyio_around_it_ends_it() -> None:
    with anyio.move_on_after(0.01) as scope:
        async with CancellableGroup() as group:
            group.start(asyncio.sleep(3_600), "work")
    assert scope.cancelled_caught
