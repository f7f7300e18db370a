"""Sweeping a store removes old payloads, and nothing else."""

import hashlib
import os
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from workers.errors import UsageError
from workers.payloads import Payloads
from workers.payloads.store import Store, StoredObject
from workers.payloads.sweep import sweep

DAY = timedelta(days=1)
SHA = "ab" * 32


def day(days_ago: float) -> str:
    return (datetime.now(UTC) - days_ago * DAY).date().isoformat()


@pytest.fixture
def folder(tmp_path: Path):
    """A store in a folder, and a way to put files of any age into it."""

    def put(key: str, days_ago: float) -> Path:
        path = tmp_path / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"12345")
        then = (datetime.now(UTC) - days_ago * DAY).timestamp()
        os.utime(path, (then, then))
        return path

    return put


async def test_old_payloads_go_and_everything_else_stays(tmp_path: Path, folder):
    old = [
        folder(f"{day(40)}/{SHA}", 40),
        folder(f"{day(31)}/stream-{'0' * 32}", 31),
        folder(f"{day(40)}/{SHA}.{'0' * 32}", 40),  # a draft that a crash has left
        folder(f"progress/{SHA}", 35),
    ]
    stays = [
        folder(f"{day(29)}/{SHA}", 29),
        folder(f"{day(0)}/{SHA}", 0),
        folder(f"{day(41)}/{SHA}", 1),  # copied there later: a claim may point to it
        folder(f"{day(40)}/notes.txt", 40),
        folder(f"other/{SHA}", 40),
        folder(f"progress/{'cd' * 32}", 3),
        folder(SHA, 40),
    ]
    async with Payloads(f"file://{tmp_path}") as payloads:
        dry = await sweep(payloads.store, older_than=30 * DAY, dry_run=True)
        assert all(path.exists() for path in old)
        swept = await sweep(payloads.store, older_than=30 * DAY)
    assert (dry.removed, dry.removed_bytes) == (swept.removed, swept.removed_bytes) == (4, 20)
    assert not any(path.exists() for path in old)
    assert all(path.exists() for path in stays)


async def test_a_payload_of_the_day_is_kept_to_the_hour(tmp_path: Path, folder):
    edge = folder(f"{day(29.9)}/{SHA}", 29.9)
    async with Payloads(f"file://{tmp_path}") as payloads:
        await sweep(payloads.store, older_than=30 * DAY)
    assert edge.exists()


async def test_nothing_younger_than_a_day_is_swept(tmp_path: Path):
    async with Payloads(f"file://{tmp_path}") as payloads:
        with pytest.raises(UsageError, match="younger than a day"):
            await sweep(payloads.store, older_than=timedelta(hours=23))


async def test_an_empty_store_is_swept_too(any_payloads: Payloads):
    assert (await sweep(any_payloads.store, older_than=DAY)).seen == 0


async def everything(store: Store) -> list[StoredObject]:
    return [found async for folder in store.folders() async for found in store.objects(folder)]


async def test_any_store_lists_and_deletes(any_payloads: Payloads):
    claims = [await any_payloads.offload(number, always=True) for number in range(3)]
    keys = {claim["uri"].removeprefix(f"{any_payloads.url}/") for claim in claims}
    listed = await everything(any_payloads.store)
    assert {found.key for found in listed} == keys
    assert {found.size for found in listed} == {1}
    assert all(abs(datetime.now(UTC) - found.modified) < timedelta(minutes=1) for found in listed)
    await any_payloads.store.delete([*keys, f"2026-01-01/{SHA}"])
    assert await everything(any_payloads.store) == []


async def test_many_are_listed_in_pages_and_deleted_in_batches(s3_options, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("workers.payloads.sweep._AT_ONCE", 10)
    monkeypatch.setattr("workers.payloads.s3._DELETED_AT_ONCE", 4)
    async with Payloads("s3://payloads/many", options=s3_options) as payloads:
        for number in range(25):
            await payloads.store.put(f"{day(40)}/{number:064x}", b"x", hashlib.sha256(b"x").digest())
        pages = [page async for page in payloads.store._pages("many/", MaxKeys=10)]
        assert [len(page["Contents"]) for page in pages] == [10, 10, 5]
        reports: list[int] = []
        store = Aged(payloads.store, 40 * DAY)
        swept = await sweep(store, older_than=30 * DAY, progress=lambda swept: reports.append(swept.removed))
        assert reports == [10, 20, 25]
        assert swept.seen == 25
        assert await everything(payloads.store) == []


class Aged:
    """A store whose objects were written some time ago."""

    def __init__(self, store: Store, age: timedelta) -> None:
        self._store = store
        self._age = age

    def __getattr__(self, name: str) -> object:
        return getattr(self._store, name)

    async def objects(self, folder: str) -> AsyncIterator[StoredObject]:
        async for found in self._store.objects(folder):
            yield StoredObject(found.key, found.size, found.modified - self._age)
