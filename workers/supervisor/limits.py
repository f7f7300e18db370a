"""When a worker has done enough: it drains, exits 0, and whoever started it starts a fresh one."""

import os
from pathlib import Path

import anyio
import structlog

from workers.settings import Settings
from workers.supervisor.drain import Drain

log = structlog.get_logger(__name__)

_LOOK_EVERY = 5.0
_MB = 1_000_000
_STATM = Path("/proc/self/statm")


class ProcessLimits:
    """`--max-tasks` and `--max-rss`."""

    def __init__(self, settings: Settings, drain: Drain) -> None:
        self._max_tasks = settings.max_tasks
        self._max_rss = settings.max_rss
        self._drain = drain
        self._tasks = 0

    def received(self) -> None:
        """Counts a task. Polls that are open when the last one is counted may still bring more."""
        self._tasks += 1
        if self._tasks == self._max_tasks:
            log.info("draining after the last task", max_tasks=self._max_tasks)
            self._drain.begin()

    async def watch_memory(self) -> None:
        """Drains once the process holds more memory than it should."""
        while self._max_rss is not None:
            if (held := resident_bytes() / _MB) > self._max_rss:
                log.warning("draining because of memory", rss=round(held), max_rss=self._max_rss)
                self._drain.begin()
                return
            await anyio.sleep(_LOOK_EVERY)


def resident_bytes() -> int:
    """Memory that this process holds now, in bytes; 0 where the system does not say."""
    try:
        pages = int(_STATM.read_text().split()[1])
    except (OSError, IndexError, ValueError):
        return 0
    return pages * os.sysconf("SC_PAGE_SIZE")
