"""Polling: which workflows have ended, found with few calls.

Workflows are looked at by state machine. One list of the executions of a machine that run, a thousand to a page, tells
of all its workflows: what is not in it has ended, or has not begun; what is in it and has ended here was redriven by
somebody else. Only what is missing is looked at, and where events come, only when its event had time to arrive. Where
more are missing than the lists of ended ones cost, those are read first (`ended.py`), for they tell the status of a
thousand at a time. Machines with few workflows cost less without lists: each is looked at after a tenth of its age.
"""

import time
from collections import defaultdict
from collections.abc import Iterable
from typing import Any

import anyio
import structlog

from workers.executions.execution import Status as ExecutionStatus
from workers.executions.looks import SHORTEST, pause
from workers.manager.errors import ManagerError
from workers.manager.model import Launch, Status, now
from workers.manager.store.interface import Store, Unfinished
from workers.manager.sync.ended import PAGE, EndedLists
from workers.manager.sync.leading import Turn
from workers.manager.sync.recorder import Recorder
from workers.payloads.together import side_by_side
from workers.stepfunctions.account import Account, is_missing
from workers.stepfunctions.protocol import DeniedError, ServiceError

log = structlog.get_logger(__name__)

EVERY = 0.5
"""Seconds from one round to the next, at least."""
_SHARE = 10.0
"""A round that takes its time is followed by a pause so many times as long as reading the store took."""
_LONGEST = 60.0
"""Seconds after which a workflow is looked at again at the latest, as far as the buckets allow."""
FEW = 5
"""Workflows of a machine that are looked at one by one: the buckets give five such looks for a list."""
_MANY = 40
"""Missing ones that are worth the lists of all four ended statuses."""
_AT_ONCE = 16
_LOOKS = 2.0
"""Seconds' worth of looks at single workflows in a round, at most: lists do not wait longer for them."""
LISTS = 0.8
LISTS_BESIDE_EVENTS = 0.5
"""The part of what flows back into the bucket of ListExecutions that is used: without events, and with them."""
GRACE = 1.0
"""Seconds that an event may take."""
_OFTEN = 1.5
"""Seconds from one list of a machine to the next where events come, at least."""


class Poller:
    """Finds out what has become of workflows that run. Calls wait for their turn at the buckets of the account.

    `events`: whether status changes come by themselves, so that this looks for those that got lost.
    """

    def __init__(self, store: Store, account: Account, recorder: Recorder, *, events: bool = False) -> None:
        self._store = store
        self._account = account
        self._recorder = recorder
        self._grace = GRACE if events else 0.0
        self._often = _OFTEN if events else 0.0
        share = LISTS_BESIDE_EVENTS if events else LISTS
        self._lists_a_second = share * account.buckets["ListExecutions"].refill
        self._looks_a_round = max(_AT_ONCE, round(_LOOKS * account.buckets["DescribeExecution"].refill))
        self._looks = 0
        self._ended = EndedLists(account, recorder)
        self._due: dict[str, float] = {}
        self._missing: set[str] = set()
        self._listed: dict[str, float] = {}
        self._pages: dict[str, int] = {}
        self._limiter = anyio.CapacityLimiter(_AT_ONCE)

    async def run(self, turn: Turn) -> None:
        """Goes on until it is cancelled, or `turn` is over."""
        while turn.holds:
            reading = 0.0
            try:
                reading = await self.round(turn)
            except (ServiceError, ManagerError) as error:
                log.warning("workflows cannot be polled", error=str(error))
            await anyio.sleep(max(EVERY, _SHARE * reading))

    async def round(self, turn: Turn | None = None) -> float:
        """Looks once at all that is due; returns the seconds that reading the store took.

        Raises `StoreUnavailableError` when the store cannot be read; what else fails is logged, and looked at again.
        """
        begun = time.monotonic()
        machines: dict[str, list[Unfinished]] = defaultdict(list)
        async for workflow in self._store.unfinished(Launch.STARTED):
            if workflow.execution_arn:
                machines[_machine(workflow.execution_arn)].append(workflow)
        reading = time.monotonic() - begun
        self._forget(machines)
        self._looks = self._looks_a_round
        async with side_by_side() as group:
            for machine, workflows in machines.items():
                group.start_soon(self._careful, machine, workflows, turn)
        return reading

    def _forget(self, machines: dict[str, list[Unfinished]]) -> None:
        """Drops what was remembered of workflows that have ended, and of machines without any."""
        known = {workflow.id for workflows in machines.values() for workflow in workflows}
        self._due = {key: due for key, due in self._due.items() if key in known}
        self._missing &= known
        self._listed = {key: at for key, at in self._listed.items() if key in machines}
        self._pages = {key: pages for key, pages in self._pages.items() if key in machines}
        self._ended.forget(machines)

    async def _careful(self, machine: str, workflows: list[Unfinished], turn: Turn | None) -> None:
        """One machine; what goes wrong there is no harm to others."""
        if len(workflows) <= FEW:
            await self._each(workflows, turn)
            return
        try:
            if self._is_time(machine):
                await self._list(machine, workflows)
            late = {one.id: one for one in workflows if one.id in self._missing and self._is_due(one)}
            if len(late) > _MANY:
                await self._ended.read(machine, late)
            await self._each(late.values(), turn)
        except ServiceError as error:
            if is_missing(error) or isinstance(error, DeniedError):
                await self._each(workflows, turn)
            if not is_missing(error):
                log.warning("executions cannot be listed", machine=machine, error=str(error))
        except ManagerError as error:
            log.warning("workflows cannot be written", machine=machine, error=str(error))

    def _is_time(self, machine: str) -> bool:
        """Whether the executions of a machine may be listed again: lists of all take no more than their share."""
        every = max(self._often, sum(self._pages.values()) / self._lists_a_second)
        return time.monotonic() >= self._listed.get(machine, float("-inf")) + every

    async def _list(self, machine: str, workflows: list[Unfinished]) -> None:
        """Reads which executions run: writes what is news of them, and remembers which workflows are missing."""
        begun, at = now(), time.monotonic()
        self._listed[machine] = at
        running = {item["name"]: item async for item in self._running(machine)}
        self._pages[machine] = 1 + len(running) // PAGE
        ours = {workflow.id: workflow for workflow in workflows}
        news = {name: item for name, item in running.items() if _is_news(ours.get(name), item)}
        await self._recorder.record(news)
        for workflow in workflows:
            if workflow.id in running and workflow.cancel_reason is None:
                self._missing.discard(workflow.id)
            elif workflow.id not in self._missing and workflow.last_updated < begun:
                self._missing.add(workflow.id)
                self._due[workflow.id] = at + self._grace

    async def _each(self, workflows: Iterable[Unfinished], turn: Turn | None) -> None:
        """Looks at those that are due; what is too much for this round is due in the next one."""
        async with side_by_side() as group:
            for workflow in workflows:
                if self._looks > 0 and self._is_due(workflow):
                    self._looks -= 1
                    self._due[workflow.id] = time.monotonic() + self._pause(workflow)
                    group.start_soon(self._observe, workflow, turn)

    def _is_due(self, workflow: Unfinished) -> bool:
        """Whether it is time to look at it; what is seen for the first time gets the time that its event may take."""
        due = self._due.setdefault(workflow.id, time.monotonic() + self._grace)
        return due <= time.monotonic()

    def _pause(self, workflow: Unfinished) -> float:
        age = (now() - workflow.last_updated).total_seconds()
        return pause(age, longest=_LONGEST, shortest=max(SHORTEST, self._grace))

    async def _observe(self, workflow: Unfinished, turn: Turn | None) -> None:
        async with self._limiter:
            if turn and not turn.holds:
                return
            try:
                await self._recorder.refresh(workflow.id)
            except (ServiceError, ManagerError) as error:
                log.warning("workflow cannot be looked at", workflow=workflow.id, error=str(error))
                self._due.pop(workflow.id, None)

    def _running(self, machine: str) -> Any:
        return self._account.items(
            "ListExecutions",
            "executions",
            stateMachineArn=machine,
            statusFilter=str(ExecutionStatus.RUNNING),
            maxResults=PAGE,
        )


def _is_news(workflow: Unfinished | None, item: dict[str, Any]) -> bool:
    """Whether an execution that runs is news of its workflow, or of one that was taken to have ended."""
    redrives: int = item.get("redriveCount", 0)
    if workflow is None:
        return redrives > 0
    return workflow.status is not Status.RUNNING or redrives > workflow.redrive_count


def _machine(execution: str) -> str:
    """The ARN of the state machine, in that of an execution."""
    before, _, name = execution.rpartition(":")[0].partition(":execution:")
    return f"{before}:stateMachine:{name}"
