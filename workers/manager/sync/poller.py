"""Polling: which workflows have ended, found with few calls.

Workflows are looked at by state machine. One list of the executions of a machine that run, a thousand to a page, tells
of all its workflows: what is not in it has ended, or has not begun; what is in it and has ended here was redriven by
somebody else. Only these are looked at one by one. Where more have ended than the lists of ended ones cost, those are
read first, for they tell the status of a thousand at a time; what came out of each is asked afterwards. Machines with
few workflows cost less without lists: each is looked at after a tenth of its age.
"""

import time
from collections import defaultdict, deque
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

import anyio
import structlog

from workers.executions.execution import Status as ExecutionStatus
from workers.executions.looks import pause
from workers.manager.errors import ManagerError
from workers.manager.model import Launch, Status, now
from workers.manager.store.interface import Store, Unfinished
from workers.manager.sync.recorder import Recorder
from workers.payloads.together import side_by_side
from workers.stepfunctions.account import Account, is_missing
from workers.stepfunctions.protocol import ServiceError

log = structlog.get_logger(__name__)

EVERY = 0.5
"""Seconds from one round to the next, at least."""
_SHARE = 10.0
"""A round that takes its time is followed by a pause so many times as long as reading the store took."""
_LONGEST = 60.0
"""Seconds after which a workflow is looked at again at the latest, as far as the buckets allow."""
_FEW = 5
"""Workflows of a machine that are looked at one by one: the buckets give five such looks for a list."""
_MANY = 40
"""Ended ones that are worth the lists of all four ended statuses."""
_AT_ONCE = 16
_PAGE = 1_000
_SKEW = timedelta(minutes=5)
"""How much the clocks of AWS and of this machine may differ."""
_ENDED = tuple(status for status in ExecutionStatus if status.ended)


class Poller:
    """Finds out what has become of workflows that run. Calls wait for their turn at the buckets of the account."""

    def __init__(self, store: Store, account: Account, recorder: Recorder) -> None:
        self._store = store
        self._account = account
        self._recorder = recorder
        self._due: dict[str, float] = {}
        self._unexplained: deque[Unfinished] = deque()
        self._limiter = anyio.CapacityLimiter(_AT_ONCE)

    async def run(self) -> None:
        """Goes on until it is cancelled."""
        while True:
            reading = 0.0
            try:
                reading = await self.round()
            except (ServiceError, ManagerError) as error:
                log.warning("workflows cannot be polled", error=str(error))
            await anyio.sleep(max(EVERY, _SHARE * reading))

    async def round(self) -> float:
        """Looks once at all that is due; returns the seconds that reading the store took.

        Raises `StoreUnavailableError` when the store cannot be read; what else fails is logged, and looked at again.
        """
        begun = time.monotonic()
        machines: dict[str, list[Unfinished]] = defaultdict(list)
        async for workflow in self._store.unfinished(Launch.STARTED):
            if workflow.execution_arn:
                machines[_machine(workflow.execution_arn)].append(workflow)
        reading = time.monotonic() - begun
        known = {workflow.id for workflows in machines.values() for workflow in workflows}
        self._due = {key: due for key, due in self._due.items() if key in known}
        async with side_by_side() as group:
            for machine, workflows in machines.items():
                group.start_soon(self._careful, machine, workflows)
            for _ in range(min(_AT_ONCE, len(self._unexplained))):
                group.start_soon(self._observe, self._unexplained.popleft())
        return reading

    async def _careful(self, machine: str, workflows: list[Unfinished]) -> None:
        """One machine; what goes wrong there is no harm to others."""
        if len(workflows) <= _FEW:
            await self._each(workflows)
            return
        try:
            await self._listed(machine, workflows)
        except ServiceError as error:
            if is_missing(error):
                await self._each(workflows)
            else:
                log.warning("executions cannot be listed", machine=machine, error=str(error))
        except ManagerError as error:
            log.warning("workflows cannot be written", machine=machine, error=str(error))

    async def _each(self, workflows: Iterable[Unfinished]) -> None:
        """Looks at those that are due."""
        async with side_by_side() as group:
            for workflow in workflows:
                if self._due.get(workflow.id, 0.0) <= time.monotonic():
                    age = (now() - workflow.last_updated).total_seconds()
                    self._due[workflow.id] = time.monotonic() + pause(age, longest=_LONGEST)
                    group.start_soon(self._observe, workflow)

    async def _observe(self, workflow: Unfinished) -> None:
        async with self._limiter:
            try:
                await self._recorder.refresh(workflow.id)
            except (ServiceError, ManagerError) as error:
                log.warning("workflow cannot be looked at", workflow=workflow.id, error=str(error))
                self._due.pop(workflow.id, None)

    async def _listed(self, machine: str, workflows: list[Unfinished]) -> None:
        running = {item["name"]: item async for item in self._items(machine, ExecutionStatus.RUNNING)}
        ours = {workflow.id: workflow for workflow in workflows}
        for name, item in running.items():
            workflow = ours.pop(name, None)
            if workflow is None:
                if item.get("redriveCount"):
                    await self._recorder.record(name, item)
            elif workflow.cancel_reason is not None:
                await self._observe(workflow)
            elif workflow.status is not Status.RUNNING or item.get("redriveCount", 0) > workflow.redrive_count:
                await self._recorder.record(name, item)
        if len(ours) > _MANY:
            for status in _ENDED:
                await self._ended(machine, status, ours)
        await self._each(ours.values())

    async def _ended(self, machine: str, status: ExecutionStatus, left: dict[str, Unfinished]) -> None:
        """Finds workflows in the list of executions that ended in one way, which begins with the youngest."""
        if not left:
            return
        oldest = min(workflow.created_at for workflow in left.values()) - _SKEW
        async for item in self._items(machine, status):
            if _time(item) < oldest:
                return
            if workflow := left.pop(item["name"], None):
                await self._recorder.record(workflow.id, item)
                self._unexplained.append(workflow)

    def _items(self, machine: str, status: ExecutionStatus) -> Any:
        return self._account.items(
            "ListExecutions", "executions", stateMachineArn=machine, statusFilter=str(status), maxResults=_PAGE
        )


def _machine(execution: str) -> str:
    """The ARN of the state machine, in that of an execution."""
    before, _, name = execution.rpartition(":")[0].partition(":execution:")
    return f"{before}:stateMachine:{name}"


def _time(item: Mapping[str, Any]) -> datetime:
    started: datetime = item["startDate"]
    return started
