"""Executions as Step Functions lists them: machine by machine, the newest first."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import anyio

from workers.executions.execution import Execution, Status, from_description
from workers.manager.model import Status as WorkflowStatus
from workers.manager.store.interface import Tally
from workers.stepfunctions.account import Account
from workers.stepfunctions.protocol import RefusedError

MOST_MACHINES = 25
"""State machines whose executions are put into one list; of more, one has to be chosen."""
SEARCHED = 5_000
"""The newest executions of each machine, in whose names a text is looked for: lists hold no inputs."""
_PAGE = 1_000
_AT_ONCE = 5
_SAID = {
    Status.SUCCEEDED: WorkflowStatus.SUCCEEDED,
    Status.FAILED: WorkflowStatus.FAILED,
    Status.TIMED_OUT: WorkflowStatus.FAILED,
    Status.ABORTED: WorkflowStatus.CANCELLED,
}


@dataclass(frozen=True, slots=True)
class Machine:
    """A state machine as lists show it."""

    name: str
    arn: str
    type: str
    created: datetime


@dataclass(frozen=True, slots=True)
class Found:
    """A page of executions."""

    items: tuple[Execution, ...]
    token: str | None = None
    """Where the next page begins, in a list of one machine."""
    more: bool = False
    """Whether there are more than are shown."""


async def machines(account: Account) -> list[Machine]:
    """All state machines, by name."""
    found = account.items("ListStateMachines", "stateMachines", maxResults=_PAGE)
    listed = [Machine(one["name"], one["stateMachineArn"], one["type"], one["creationDate"]) async for one in found]
    return sorted(listed, key=lambda machine: machine.name)


async def page(account: Account, machine: str, status: Status | None, token: str | None, limit: int) -> Found:
    """A page of the executions of one machine. Raises `ServiceError`."""
    answer = await account.call(
        "ListExecutions", stateMachineArn=machine, statusFilter=status, nextToken=token, maxResults=limit
    )
    following = answer.get("nextToken")
    return Found(tuple(map(from_description, answer["executions"])), following, bool(following))


async def searched(account: Account, machine: str, status: Status | None, text: str, limit: int) -> Found:
    """The newest executions of a machine in whose names a text is, among its newest `SEARCHED`."""
    found: list[Execution] = []
    token = None
    for _ in range(SEARCHED // _PAGE):
        part = await page(account, machine, status, token, _PAGE)
        found += [one for one in part.items if text.lower() in one.name.lower()]
        token = part.token
        if token is None or len(found) > limit:
            break
    return Found(tuple(found[:limit]), more=len(found) > limit or token is not None)


async def newest(
    account: Account,
    among: Sequence[Machine],
    status: Status | None,
    limit: int,
    text: str = "",
    *,
    each: int | None = None,
) -> Found:
    """The newest executions of several machines, from the first page of each, which has `each` of them."""
    parts: list[Found] = []
    turn = anyio.CapacityLimiter(_AT_ONCE)

    async def read(machine: Machine) -> None:
        async with turn:
            try:
                asked = searched(account, machine.arn, status, text, limit) if text else None
                parts.append(await (asked or page(account, machine.arn, status, None, each or limit)))
            except RefusedError as error:
                if not error.code.endswith("DoesNotExist"):  # deleted since it was listed
                    raise

    async with anyio.create_task_group() as group:
        for machine in among:
            if machine.type == "STANDARD":  # executions of Express machines are not listed
                group.start_soon(read, machine, name=f"list {machine.name}")
    items = sorted((one for part in parts for one in part.items), key=lambda one: one.started, reverse=True)
    return Found(tuple(items[:limit]), more=len(items) > limit or any(part.more for part in parts))


def tallies(executions: Sequence[Execution], since: datetime, step: timedelta) -> list[Tally]:
    """Executions counted as workflows are: by machine, status and step."""
    found: dict[tuple[str, WorkflowStatus, datetime], int] = {}
    for one in executions:
        if one.started >= since:
            begun = since + (one.started - since) // step * step
            key = (machine_name(one), _SAID.get(one.status, WorkflowStatus.RUNNING), begun)
            found[key] = found.get(key, 0) + 1
    return [
        Tally(workflow_definition_name=name, status=status, since=begun, count=count)
        for (name, status, begun), count in found.items()
    ]


def machine_name(execution: Execution) -> str:
    """The name of an execution's state machine."""
    return execution.state_machine.split(":")[6]
