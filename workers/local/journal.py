"""Writes what changes into the store, many changes at a time.

What is stored is the state of the engine at one moment between two steps of its event loop: every line of states
stands where its frame says, and the history is whole up to there.
"""

import asyncio
import json
import re
from collections.abc import Iterator
from typing import Any

import structlog

from workers.local.executions import Execution
from workers.local.machines import Revision
from workers.local.region import Region
from workers.local.run import Run
from workers.local.store import Batch, Store
from workers.local.stored import dump_activity, dump_execution, dump_machine, dump_map_run, dump_revision

log = structlog.get_logger(__name__)

PAUSE = 1.0
"""Seconds after which a write that failed is tried again."""

_RESOURCE = re.compile(r"arn:[\w-]+:states:[\w-]+:\d+:(?:activity|stateMachine):[^:]+")


class Journal:
    """The changes of one engine on their way to its store."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._runs: dict[Run, Region] = {}
        self._resources: dict[tuple[str, str], Region] = {}
        self._forgotten: list[tuple[str, int]] = []
        self._forgotten_map_runs: list[tuple[str, str]] = []
        self._revisions: dict[int, tuple[Revision, str]] = {}
        """The hashes of revisions by their id; who holds them keeps the id theirs."""
        self._changes = 0
        self._written = 0
        self._waiting: list[tuple[int, asyncio.Future[None]]] = []
        self._wake = asyncio.Event()
        self._writer = asyncio.create_task(self._work(), name="journal of the embedded Step Functions")

    def changed(self, region: Region, run: Run) -> None:
        """Notes that something of an execution is to be stored."""
        self._runs[run] = region
        self._changed()

    def answered(self, region: Region, *told: Any) -> None:
        """Notes the resources that a request, or its answer, names."""
        for arn in {found for text in _texts(told) for found in _RESOURCE.findall(text)}:
            self._resources[region.place.region, arn] = region
            self._changed()

    def forgotten(self, region: Region, execution: Execution) -> None:
        """Notes that an execution is to be forgotten, with its map runs."""
        self._forgotten.append((region.place.region, execution.number))
        self._forgotten_map_runs += [(region.place.region, arn) for arn in execution.map_runs]
        self._changed()

    async def settled(self) -> None:
        """Returns when all that has changed so far outlives the process."""
        if self._written < self._changes:
            done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._waiting.append((self._changes, done))
            await done

    async def close(self) -> None:
        """Writes what is left."""
        await self.settled()
        self._writer.cancel()
        await asyncio.wait([self._writer])
        self._store.close()

    def _changed(self) -> None:
        self._changes += 1
        self._wake.set()

    async def _work(self) -> None:
        while True:
            await self._wake.wait()
            await asyncio.sleep(0)  # let whatever is ready change more
            self._wake.clear()
            changes, batch = self._changes, self._collected()
            while error := await self._failed(batch):
                self._told(self._changes, error)
                await asyncio.sleep(PAUSE)
            self._written = changes
            self._told(changes, None)

    async def _failed(self, batch: Batch) -> Exception | None:
        """Writes a batch; gives what went wrong. What comes later builds on it, so that it must be tried again."""
        try:
            await asyncio.to_thread(self._store.write, batch)
        except Exception as error:
            log.exception("The engine's state was not stored")
            return error
        return None

    def _told(self, changes: int, error: Exception | None) -> None:
        due = [done for until, done in self._waiting if until <= changes and not done.done()]
        self._waiting = [(until, done) for until, done in self._waiting if until > changes]
        for done in due:
            if error:
                done.set_exception(error)
            else:
                done.set_result(None)

    def _collected(self) -> Batch:
        batch = Batch()
        resources, self._resources = self._resources, {}
        for (name, arn), region in resources.items():
            self._collect_resource(batch, name, arn, region)
        runs, self._runs = self._runs, {}
        for run, region in runs.items():
            self._collect_run(batch, region.place.region, run)
        batch.forgotten, self._forgotten = list(self._forgotten), []
        batch.drops["map_runs"] += self._forgotten_map_runs
        self._forgotten_map_runs = []
        return batch

    def _collect_resource(self, batch: Batch, name: str, arn: str, region: Region) -> None:
        tags = region.tags.get(arn, {})
        if ":activity:" in arn:
            document = dump_activity(region.activities.get(arn), tags) if arn in region.activities else None
        elif machine := region.machines.find(arn):
            document, revisions = dump_machine(machine, tags)
            batch.rows["revisions"] += revisions
        else:
            document = None
        if document is None:
            batch.drops["resources"].append((name, arn))
        else:
            batch.rows["resources"].append((name, arn, document))

    def _collect_run(self, batch: Batch, name: str, run: Run) -> None:
        execution = run.execution
        number, events = execution.number, execution.events
        state = (execution.status, execution.redrives)
        if state != run.stored_state:
            run.stored_state = state
            document = dump_execution(execution, self._hash(batch, execution.revision))
            batch.rows["executions"].append((name, number, document))
        new = events[run.stored_events :]
        batch.rows["events"] += [(name, number, event["id"], json.dumps(event)) for event in new]
        run.stored_events = len(events)
        batch.rows["frames"] += [(name, number, frame.number, frame.dump()) for frame in run.unsaved.values()]
        batch.drops["frames"] += [(name, number, frame) for frame in run.dropped]
        run.unsaved, run.dropped = {}, set()
        for map_run in run.map_runs:
            batch.rows["map_runs"].append((name, map_run.arn, dump_map_run(map_run)))

    def _hash(self, batch: Batch, revision: Revision) -> str:
        known = self._revisions.get(id(revision))
        if known and known[0] is revision:
            return known[1]
        hashed, document = dump_revision(revision)
        batch.rows["revisions"].append((hashed, document))
        self._revisions[id(revision)] = revision, hashed
        return hashed


def _texts(told: Any) -> Iterator[str]:
    if isinstance(told, str):
        if told.startswith("arn:"):
            yield told
    elif isinstance(told, dict):
        for value in told.values():
            yield from _texts(value)
    elif isinstance(told, tuple | list):
        for value in told:
            yield from _texts(value)
