"""What both stores of tokens promise: a text is written only over the one that was read, and expires."""

import asyncio
import time
from collections.abc import AsyncIterator

import pytest

from tests.account import Account, unique
from workers.callbacks import Callbacks
from workers.callbacks.store import TokenStore


@pytest.fixture
async def stores(account: Account, store: str) -> AsyncIterator[list[TokenStore]]:
    """One store, as two processes have it open."""
    del account  # the engine is there
    async with Callbacks(None, unique("shop"), store=store) as one, Callbacks(None, unique("shop"), store=store) as two:
        await one._store.create()
        await two._store.create()
        yield [one._store, two._store]


async def put(store: TokenStore, text: str, version: int) -> bool:
    return await store.save("key", text, version=version, expires=time.time() + 60, pending=False)


async def test_of_interleaved_saves_the_one_with_a_stale_version_changes_nothing(stores: list[TokenStore]):
    one, two = stores
    assert await one.load("key") is await two.load("key") is None
    assert await one_wins(one, two, version=0) == ["first", "second"].index(await text(one))
    for version in (1, 2):
        found = [await store.load("key") for store in stores]
        assert [known.version for known in found if known] == [version, version]
        assert await put(two, f"two {version}", version)
        assert not await put(one, f"one {version}", version)
        assert not await put(one, "as if it were new", 0)
        assert not await put(one, "from the future", version + 2)
        assert await text(one) == await text(two) == f"two {version}"


async def test_of_many_saves_at_once_one_counts(stores: list[TokenStore]):
    for version in range(3):
        saved = await asyncio.gather(*(put(stores[n % 2], str(n), version) for n in range(10)))
        assert saved.count(True) == 1
        assert await text(stores[0]) == str(saved.index(True))


@pytest.mark.parametrize("store", ["dynamodb"])
async def test_dynamodb_deletes_by_the_attribute_that_says_when(account: Account, store: str):
    name = unique("shop")
    async with Callbacks(None, name, store=store) as callbacks:
        await callbacks._store.create()
        await callbacks._store.create()
        expires = time.time() + 100
        await callbacks._store.save("key", "text", version=0, expires=expires, pending=True)
        async with callbacks._connection.client("dynamodb") as dynamodb:
            found = await dynamodb.describe_time_to_live(TableName=callbacks.name)
            item = (await dynamodb.get_item(TableName=callbacks.name, Key={"key": {"S": "key"}}))["Item"]
    living = found["TimeToLiveDescription"]
    assert living["TimeToLiveStatus"] in {"ENABLED", "ENABLING"}
    assert 0 <= int(item[living["AttributeName"]]["N"]) - expires < 1  # whole seconds of the epoch, as TTL wants


async def one_wins(one: TokenStore, two: TokenStore, *, version: int) -> int:
    """Which of two that read the same version could save."""
    saved = await asyncio.gather(put(one, "first", version), put(two, "second", version))
    assert sorted(saved) == [False, True]
    return saved.index(True)


async def text(store: TokenStore) -> str:
    found = await store.load("key")
    assert found
    return found.text
