"""Of several processes, one does the work."""

import anyio
import pytest

from tests.manager.sync.conftest import Store
from workers.manager.store.choice import open_store
from workers.manager.sync import leading
from workers.manager.sync.leading import Turn
from workers.payloads.together import background


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(leading, "LEASE", 0.6)
    monkeypatch.setattr(leading, "_RENEWED", 0.1)


async def test_one_works_and_another_takes_over(store: Store, url: str):
    working: list[str] = []
    news = anyio.Event()

    async def work(name: str) -> None:
        nonlocal news
        working.append(name)
        news.set()
        try:
            await anyio.sleep_forever()
        finally:
            working.remove(name)

    async def lead(name: str) -> None:
        await leading.lead(store, "poll", name, lambda _: work(name))

    async with background() as others:
        async with background() as first:
            first.start_soon(lead, "first")
            await news.wait()
            others.start_soon(lead, "second")
            await anyio.sleep(1.0)  # longer than a lease lasts that is not renewed
            assert working == ["first"]
            news = anyio.Event()
        await news.wait()
        assert working == ["second"]
        async with open_store(url) as third:
            assert await third.acquire_lease("poll", "third", 1) is None


async def test_who_loses_the_lease_stops(store: Store):
    stopped = anyio.Event()
    begun = anyio.Event()

    async def work(turn: Turn) -> None:
        assert turn.holds
        begun.set()
        try:
            await anyio.sleep_forever()
        finally:
            stopped.set()

    async with background() as group:
        group.start_soon(leading.lead, store, "poll", "me", work)
        await begun.wait()
        lease = await store.acquire_lease("poll", "me", 1)
        assert lease
        await store.release_lease(lease)
        assert await store.acquire_lease("poll", "other", 60)
        await stopped.wait()
