"""What came out of workflows whose end is known from a list or an event, which tell no more than that."""

from collections import deque
from collections.abc import Callable

import anyio
import structlog

from workers.manager.errors import ManagerError, NotFoundError
from workers.manager.model import Workflow
from workers.manager.sync.recorder import Recorder
from workers.stepfunctions.protocol import ServiceError

log = structlog.get_logger(__name__)

_AT_ONCE = 8
_AGAIN = 5.0
"""Seconds after which one that could not be looked at has its turn again, behind all others."""
_TRIES = 5


class Explainer:
    """Looks at workflows that have ended, the youngest end first, for that is what people look at.

    It can be far behind, for AWS lets some ten executions be described a second. What is left when the process ends is
    looked at when somebody asks for it. `explained` is called with each that was looked at.
    """

    def __init__(self, explained: Callable[[Workflow], None] | None = None) -> None:
        self._explained = explained
        self._waiting: deque[tuple[str, int]] = deque()
        self._news = anyio.Event()

    def add(self, workflow_id: str) -> None:
        """This one has ended."""
        self._waiting.append((workflow_id, 0))
        self._news.set()

    @property
    def waiting(self) -> int:
        """How many have not been looked at."""
        return len(self._waiting)

    async def run(self, recorder: Recorder) -> None:
        """Goes on until it is cancelled."""
        async with anyio.create_task_group() as group:
            for number in range(_AT_ONCE):
                group.start_soon(self._work, recorder, name=f"explain workflows {number}")

    async def _work(self, recorder: Recorder) -> None:
        while True:
            while not self._waiting:
                await self._news.wait()
                self._news = anyio.Event()
            workflow_id, tries = self._waiting.pop()
            try:
                workflow = await recorder.refresh(workflow_id)
            except NotFoundError:
                continue
            except (ServiceError, ManagerError) as error:
                log.warning("workflow cannot be looked at", workflow=workflow_id, error=str(error))
                if tries < _TRIES:
                    self._waiting.appendleft((workflow_id, tries + 1))
                await anyio.sleep(_AGAIN)
            else:
                if self._explained:
                    self._explained(workflow)
