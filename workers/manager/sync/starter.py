"""Starting what waits: in the order of its queue, and what somebody began to start and did not finish."""

from collections.abc import Awaitable, Callable
from datetime import timedelta

import anyio
import structlog
from anyio.abc import TaskGroup

from workers.manager.errors import ManagerError
from workers.manager.model import Workflow, now
from workers.manager.store.interface import Claim, Store
from workers.stepfunctions.protocol import ServiceError

log = structlog.get_logger(__name__)

CLAIM = timedelta(seconds=60)
"""How long a start may take before another one tries it too; the name of an execution lets it start once."""
EVERY = 1.0
"""Seconds between two looks for what others have left; what happens in this process is heard of at once."""
_AT_ONCE = 16

Launch = Callable[[Workflow], Awaitable[object]]
"""Starts the execution of a claimed workflow. After a `ServiceError` or `UnavailableError` it is tried again when the
claim lapses."""


class Starter:
    """Claims workflows whose turn it is, and starts them."""

    def __init__(self, store: Store, launch: Launch, *, owner: str) -> None:
        self._store = store
        self._launch = launch
        self._owner = owner
        self._news = anyio.Event()
        self._left: list[Workflow] = []
        self._limiter = anyio.CapacityLimiter(_AT_ONCE)

    def wake(self) -> None:
        """Something has ended, or waits: there may be a turn."""
        self._news.set()

    def go_on(self, workflow: Workflow) -> None:
        """Goes on with one that this process has claimed, and for whose start its caller has waited long enough."""
        self._left.append(workflow)
        self._news.set()

    def claim(self) -> Claim:
        """A claim of this process, from now on."""
        return Claim(self._owner, now() + CLAIM)

    async def run(self) -> None:
        """Goes on until it is cancelled. What is being started then is finished by whoever finds its claim lapsed."""
        async with anyio.create_task_group() as group:
            while True:
                with anyio.move_on_after(EVERY):
                    await self._news.wait()
                self._news = anyio.Event()
                try:
                    await self._round(group)
                except ManagerError as error:
                    log.warning("workflows cannot be started", error=str(error))

    async def _round(self, group: TaskGroup) -> None:
        """Claims no more than can be started now: what is claimed and waits might lapse."""
        while self._left:
            await self._begin(self._left.pop(0), group)
        while free := int(self._limiter.available_tokens):
            claimed = await self._store.claim_starts(self.claim(), limit=free)
            for workflow in claimed:
                await self._begin(workflow, group)
            if len(claimed) < free:
                return

    async def _begin(self, workflow: Workflow, group: TaskGroup) -> None:
        await self._limiter.acquire_on_behalf_of(workflow.id)
        group.start_soon(self._start, workflow, name=f"start {workflow.id}")

    async def _start(self, workflow: Workflow) -> None:
        try:
            await self._launch(workflow)
        except (ServiceError, ManagerError) as error:
            log.warning("workflow not started yet", workflow=workflow.id, error=str(error))
        finally:
            self._limiter.release_on_behalf_of(workflow.id)
            if self._limiter.available_tokens == 1:
                self.wake()  # the last round may have found no room
