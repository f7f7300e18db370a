"""What was read a moment ago, for all who look at the same: ten viewers cost one read."""

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

    def _tidy(self, key: Hashable) -> None:
        """Keeps nothing of what could not be read, nor of what is too much."""
        if key not in self._kept:
            self._reading.pop(key, None)
        while len(self._kept) > _REMEMBERED:
            oldest, _ = self._kept.popitem(last=False)
            self._reading.pop(oldest, None)
