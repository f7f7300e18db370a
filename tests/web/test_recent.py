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
