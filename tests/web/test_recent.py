"""What was read a moment ago."""

import anyio
import pytest

from workers.web import recent
from workers.web.recent import Recent


async def test_ten_viewers_cost_one_read():
    kept, reads = Recent(), 0

    async def read() -> int:
        nonlocal reads
        reads += 1
        await anyio.sleep(0.01)
        return reads

    async def look() -> None:
        assert await kept.get("key", 60, read) == 1

    async with anyio.create_task_group() as group:
        for _ in range(10):
            group.start_soon(look)
    assert await kept.get("another", 60, read) == 2
    assert await kept.get("key", 0, read) == 3


async def test_nothing_is_kept_of_what_could_not_be_read_nor_of_too_much(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(recent, "_REMEMBERED", 2)
    kept = Recent()

    async def fail() -> int:
        raise RuntimeError

    async def one() -> int:
        return 1

    with pytest.raises(RuntimeError):
        await kept.get("key", 60, fail)
    assert not kept._reading
    for key in range(5):
        await kept.get(key, 60, one)
    assert list(kept._kept) == list(kept._reading) == [3, 4]


async def test_who_is_in_a_hurry_gets_what_was_read_before():
    kept, reads, gate = Recent(), 0, anyio.Event()

    async def read() -> int:
        nonlocal reads
        reads += 1
        await gate.wait()
        return reads

    assert await kept.soon("key", 60, read, patience=0.01) == (None, False)
    gate.set()
    assert await kept.soon("key", 60, read, patience=20) == (1, True)
    gate = anyio.Event()
    assert await kept.soon("key", 0, read, patience=0.01) == (1, False)
    gate.set()
    assert await kept.get("key", 60, read) == 2


async def test_what_fails_behind_is_told_to_who_asks_next():
    kept, gate = Recent(), anyio.Event()

    async def read() -> int:
        await gate.wait()
        raise LookupError

    assert await kept.soon("key", 60, read, patience=0.01) == (None, False)
    gate.set()
    with pytest.raises(LookupError):
        await kept.soon("key", 60, read, patience=20)
