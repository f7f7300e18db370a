"""What was read a moment ago, for all who look at the same: ten viewers cost one read."""

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Hashable
from typing import Any, TypeVar

import anyio

T = TypeVar("T")
_REMEMBERED = 500


class Recent:
    """Keeps what was read for some seconds; who asks meanwhile gets the same."""

    def __init__(self) -> None:
        self._kept: OrderedDict[Hashable, tuple[float, Any]] = OrderedDict()
        self._reading: dict[Hashable, anyio.Lock] = {}
        self._behind: set[asyncio.Future[Any]] = set()
        """Readings that somebody may have stopped to wait for."""

    async def get(self, key: Hashable, seconds: float, read: Callable[[], Awaitable[T]]) -> T:
        """What `read` returns, or returned within the last `seconds` for the same key. Raises what it raises."""
        async with self._reading.setdefault(key, anyio.Lock()):
            try:
                at, value = self._kept.get(key, (float("-inf"), None))
                if anyio.current_time() - at >= seconds:
                    value = await read()
                    self._kept[key] = (anyio.current_time(), value)
                    self._kept.move_to_end(key)
            finally:
                self._tidy(key)
            known: T = value
            return known

    async def soon(
        self, key: Hashable, seconds: float, read: Callable[[], Awaitable[T]], *, patience: float
    ) -> tuple[T | None, bool]:
        """The same for who waits no longer than `patience` seconds, and whether it is as new as `get()` has it.

        Else it is what was read before, None where nothing was; what is read meanwhile is there for who asks next.
        Raises what `read` raises within that time.
        """
        reading = asyncio.ensure_future(self.get(key, seconds, read))
        self._behind.add(reading)
        reading.add_done_callback(self._end)
        done, _ = await asyncio.wait({reading}, timeout=patience)
        if done:
            return reading.result(), True
        _, known = self._kept.get(key, (0.0, None))
        return known, False

    def _end(self, reading: asyncio.Future[Any]) -> None:
        self._behind.discard(reading)
        if not reading.cancelled():
            reading.exception()  # who asks next is told

    def _tidy(self, key: Hashable) -> None:
        """Keeps nothing of what could not be read, nor of what is too much."""
        if key not in self._kept:
            self._reading.pop(key, None)
        while len(self._kept) > _REMEMBERED:
            oldest, _ = self._kept.popitem(last=False)
            self._reading.pop(oldest, None)
