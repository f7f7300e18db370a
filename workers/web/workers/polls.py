"""Who takes tasks of which activity, and what waits: read from the ends of histories, for nobody else tells.

Step Functions has no list of workers. A history names the worker of each task that was taken, and a task that is
scheduled and not taken waits. What is counted is what the last thousand events of each execution that is read tell.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import anyio

from workers.arns import activity_name
from workers.errors import UsageError
from workers.machines.activities import list_activities
from workers.stepfunctions.account import Account, is_missing
from workers.stepfunctions.protocol import DeniedError, ServiceError
from workers.web.recent import Recent

EVENTS = 1_000
_AT_ONCE = 5
_ENDED_STAYS = 600.0
"""Seconds for which what the history of an ended execution told is known."""
_RUNNING_STAYS = 3.0


@dataclass(frozen=True, slots=True)
class Looked:
    """An execution that is to be read."""

    arn: str
    running: bool
    redrives: int = 0


@dataclass(slots=True)
class Worker:
    """A worker, as far as histories tell of it."""

    name: str
    seen: datetime
    """When it last took a task."""
    taken: int = 0
    running: int = 0


@dataclass(slots=True)
class Polled:
    """An activity."""

    arn: str
    workers: dict[str, Worker] = field(default_factory=dict)
    waiting: int = 0
    since: datetime | None = None
    """Since when the oldest of those waits."""
    running: int = 0
    executions: list[str] = field(default_factory=list)
    """Executions with a task that waits, the oldest first."""

    @property
    def name(self) -> str:
        """Its name; its ARN where that is none of an activity."""
        try:
            return activity_name(self.arn)
        except UsageError:
            return self.arn

    def latest(self) -> list[Worker]:
        """Its workers, those that were seen last first."""
        return sorted(self.workers.values(), key=lambda worker: worker.seen, reverse=True)


@dataclass(frozen=True, slots=True)
class Task:
    """One task of an activity in a history."""

    activity: str
    scheduled: datetime
    worker: str | None
    started: datetime | None
    ended: bool


async def read(account: Account, recent: Recent, executions: Iterable[Looked]) -> list[Polled]:
    """All activities: those with tasks that wait first, then by name. Raises `ServiceError`."""
    found: dict[str, Polled] = {}
    told: list[tuple[Looked, list[Task]]] = []
    turn = anyio.CapacityLimiter(_AT_ONCE)

    async def look(one: Looked) -> None:
        async with turn:
            stays = _RUNNING_STAYS if one.running else _ENDED_STAYS
            key = ("tasks", one.arn, one.running, one.redrives)
            told.append((one, await recent.get(key, stays, lambda: _tasks(account, one.arn))))

    async with anyio.create_task_group() as group:
        for one in executions:
            group.start_soon(look, one, name="read the end of a history")
    try:
        async for activity in list_activities(account=account):
            found[activity.arn] = Polled(activity.arn)
    except DeniedError:
        pass  # then those are shown that have had tasks
    for one, tasks in told:
        for task in tasks:
            _count(found.setdefault(task.activity, Polled(task.activity)), task, one)
    return sorted(found.values(), key=lambda polled: (-polled.waiting, polled.name))


async def _tasks(account: Account, arn: str) -> list[Task]:
    try:
        answer = await account.call(
            "GetExecutionHistory", executionArn=arn, reverseOrder=True, includeExecutionData=False, maxResults=EVENTS
        )
    except ServiceError as error:
        if is_missing(error):
            return []
        raise
    return tasks_of(answer["events"])


def tasks_of(events: Iterable[Mapping[str, Any]]) -> list[Task]:
    """The tasks of activities in the end of a history: events in any order, as GetExecutionHistory gives them."""
    by_id = {event["id"]: event for event in events}
    after = {event["previousEventId"]: event for event in by_id.values() if event["type"].startswith("Activity")}
    found = []
    for event in by_id.values():
        if event["type"] != "ActivityScheduled":
            continue
        following = after.get(event["id"])
        started = following if following and following["type"] == "ActivityStarted" else None
        details = (started or {}).get("activityStartedEventDetails", {})
        found.append(
            Task(
                activity=event["activityScheduledEventDetails"]["resource"],
                scheduled=event["timestamp"],
                worker=details.get("workerName", "") if started else None,
                started=started["timestamp"] if started else None,
                ended=bool(started and started["id"] in after) or bool(following and not started),
            )
        )
    return found


def _count(polled: Polled, task: Task, execution: Looked) -> None:
    if task.started is None:
        if execution.running and not task.ended:
            polled.waiting += 1
            polled.since = min(polled.since or task.scheduled, task.scheduled)
            if execution.arn not in polled.executions:
                polled.executions.append(execution.arn)
        return
    name = task.worker or "(no name)"
    worker = polled.workers.setdefault(name, Worker(name, task.started))
    worker.seen = max(worker.seen, task.started)
    worker.taken += 1
    if execution.running and not task.ended:
        worker.running += 1
        polled.running += 1
