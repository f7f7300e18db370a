"""Of several processes, one does the work."""

from collections import Counter
from datetime import UTC, datetime, timedelta

import anyio
import pytest

from tests.manager.sync.conftest import Store
from workers.manager.store.choice import open_store
from workers.manager.store.interface import Lease
from workers.manager.store.sql import leases
from workers.manager.sync import leading
from workers.manager.sync.leading import Turn
from workers.payloads.together import background

LEASE = 60.0
"""Long, for a slow machine: what the store thinks of it is told by a clock that the test moves."""


class Asked:
    """The store's answers to those who want a lease, counted by who asked and whether it was given."""

    def __init__(self, store: Store) -> None:
        self.acquire = store.acquire_lease
        self.kept_waiting: dict[str, anyio.Event] = {}
        self._answers: Counter[tuple[str, bool]] = Counter()
        self._news = anyio.Event()

    async def __call__(self, name: str, owner: str, seconds: float) -> Lease | None:
        if owner in self.kept_waiting:
            await self.kept_waiting[owner].wait()
        lease = await self.acquire(name, owner, seconds)
        self._answers[owner, lease is not None] += 1
        self._news.set()
        self._news = anyio.Event()
        return lease

    async def twice(self, owner: str, *, given: bool) -> None:
        """Waits for two answers: the second one was asked for after this was called."""
        until = self._answers[owner, given] + 2
        while self._answers[owner, given] < until:
            await self._news.wait()


@pytest.fixture
def asked(store: Store, monkeypatch: pytest.MonkeyPatch) -> Asked:
    asked = Asked(store)
    monkeypatch.setattr(store, "acquire_lease", asked)
    monkeypatch.setattr(leading, "LEASE", LEASE)
    monkeypatch.setattr(leading, "_RENEWED", 0.02)
    monkeypatch.setattr(leading, "_GIVEN_BACK", LEASE)
    return asked


async def test_one_works_and_another_takes_over(store: Store, url: str, asked: Asked, monkeypatch: pytest.MonkeyPatch):
    time = datetime(2026, 1, 1, tzinfo=UTC)
    monkeypatch.setattr(leases, "now", lambda: time)
    working: list[str] = []
    begun = {name: anyio.Event() for name in ("first", "second")}

    async def work(name: str) -> None:
        working.append(name)
        begun[name].set()
        try:
            await anyio.sleep_forever()
        finally:
            working.remove(name)

    async def lead(name: str) -> None:
        await leading.lead(store, "poll", name, lambda _: work(name))

    async with background() as others:
        async with background() as first:
            first.start_soon(lead, "first")
            await begun["first"].wait()
            others.start_soon(lead, "second")
            for _ in range(3):  # longer than a lease lasts that is not renewed
                time += timedelta(seconds=LEASE / 2)
                await asked.twice("first", given=True)
                await asked.twice("second", given=False)
            assert working == ["first"]
        await begun["second"].wait()
        assert working == ["second"]
        async with open_store(url) as third:
            assert await third.acquire_lease("poll", "third", 1) is None


async def test_who_loses_the_lease_stops(store: Store, asked: Asked):
    stopped = anyio.Event()
    begun = anyio.Event()
    taken = anyio.Event()

    async def work(turn: Turn) -> None:
        assert turn.holds
        asked.kept_waiting["me"] = taken  # or it would renew what is about to be taken away
        begun.set()
        try:
            await anyio.sleep_forever()
        finally:
            stopped.set()

    async with background() as group:
        group.start_soon(leading.lead, store, "poll", "me", work)
        await begun.wait()
        lease = await asked.acquire("poll", "me", 1)
        assert lease
        await store.release_lease(lease)
        assert await store.acquire_lease("poll", "other", LEASE)
        taken.set()
        await stopped.wait()
