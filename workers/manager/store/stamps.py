"""The times that stores give: each is later than the one before, so that what was kept first is first in any list."""

from datetime import datetime, timedelta

from workers.manager.model import now

_STEP = timedelta(milliseconds=1)


class Stamps:
    """Times of one process, in whole milliseconds."""

    def __init__(self) -> None:
        self._last = now() - _STEP

    def next(self) -> datetime:
        """Now, or a millisecond after the last one."""
        self._last = max(now(), self._last + _STEP)
        return self._last
