"""Workflows as they change: one reader of the store for all who listen."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta

import anyio
import structlog
from anyio.abc import TaskGroup
from anyio.streams.memory import MemoryObjectReceiveStream, MemoryObjectSendStream

from workers.manager.errors import ManagerError
from workers.manager.model import Query, Sort, WorkflowSummary, now
from workers.manager.store.interface import Store

log = structlog.get_logger(__name__)

EVERY = 0.5
"""Seconds between two looks, as long as somebody listens."""
_OVERLAP = timedelta(seconds=5)
"""How far back each look goes: processes that write have clocks of their own."""
_PAGE = 500
_BUFFER = 1_000
"""Changes that a listener may be behind before it is dropped."""


class Changes:
    """Reads what has changed, and tells all listeners."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._listeners: set[MemoryObjectSendStream[WorkflowSummary]] = set()
        self._somebody = anyio.Event()
        self._listening = anyio.Event()
        self._seen: dict[str, tuple[int, datetime]] = {}

    def start(self, group: TaskGroup) -> None:
        """Works in `group` until that is cancelled."""
        group.start_soon(self._run, name="tell changes")

    @asynccontextmanager
    async def listen(self) -> AsyncIterator[MemoryObjectReceiveStream[WorkflowSummary]]:
        """What changes from the moment on at which the context is open. It ends for a listener that is too slow."""
        send, receive = anyio.create_memory_object_stream[WorkflowSummary](_BUFFER)
        self._listeners.add(send)
        self._somebody.set()
        try:
            async with receive:
                await self._listening.wait()
                yield receive
        finally:
            self._listeners.discard(send)
            send.close()

    async def missed(self, since: datetime, definition: str | None = None) -> AsyncIterator[WorkflowSummary]:
        """What has changed since a time, of one definition or any, each as it is now; some of it was told before."""
        query = Query(workflow_definition_name=definition, updated_after=_back(since))
        async for workflow in self._changed(query):
            yield workflow

    async def _changed(self, query: Query) -> AsyncIterator[WorkflowSummary]:
        query = query.model_copy(update={"sort": Sort.LAST_UPDATED, "oldest_first": True, "limit": _PAGE})
        while True:
            page = await self._store.workflows(query)
            for workflow in page.items:
                yield workflow
            if not page.next_page_token:
                return
            query = query.model_copy(update={"page_token": page.next_page_token})

    def close(self) -> None:
        """Ends all listening, because the service stops."""
        for listener in list(self._listeners):
            self._listeners.discard(listener)
            listener.close()

    async def _run(self) -> None:
        while True:
            if not self._listeners:
                self._somebody, self._listening = anyio.Event(), anyio.Event()
                self._seen.clear()
                await self._somebody.wait()
                await self._remember()
                self._listening.set()
            await anyio.sleep(EVERY)
            try:
                await self._look()
            except ManagerError as error:
                log.warning("changes cannot be read", error=str(error))

    async def _remember(self) -> None:
        """What changed before anybody listened is no news."""
        try:
            await self._look(tell=False)
        except ManagerError as error:
            log.warning("changes cannot be read", error=str(error))

    async def _look(self, *, tell: bool = True) -> None:
        since = _back(now())
        async for workflow in self._changed(Query(updated_after=since)):
            if self._seen.get(workflow.id, (-1, since))[0] < workflow.revision:
                self._seen[workflow.id] = (workflow.revision, workflow.last_updated)
                if tell:
                    self._tell(workflow)
        self._seen = {key: seen for key, seen in self._seen.items() if seen[1] >= since}

    def _tell(self, workflow: WorkflowSummary) -> None:
        for listener in list(self._listeners):
            try:
                listener.send_nowait(workflow)
            except (anyio.WouldBlock, anyio.BrokenResourceError):
                self._listeners.discard(listener)
                listener.close()


def _back(time: datetime) -> datetime:
    try:
        return time - _OVERLAP
    except OverflowError:
        return time
