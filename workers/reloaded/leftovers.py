"""What processes have left behind that were killed: found by its tags, and deleted."""

from collections.abc import AsyncIterator
from typing import Any

import structlog

from workers.executions.control import stop_execution
from workers.executions.execution import Status
from workers.executions.listing import list_executions
from workers.machines.activities import delete_activity, list_activities
from workers.machines.registration.machines import delete_state_machine, list_state_machines
from workers.machines.registration.results import Change
from workers.reloaded.fresh import tidy
from workers.reloaded.names import Snapshot, owner_name
from workers.reloaded.owner import Owner
from workers.stepfunctions.account import Account, is_missing, using
from workers.stepfunctions.protocol import ServiceError

log = structlog.get_logger(__name__)


async def clean(
    *, owner: Owner | None = None, elsewhere: bool = False, account: Account | None = None
) -> tuple[Change, ...]:
    """Deletes the machines and activities of runs whose processes were killed, on this host and of the same user.

    `elsewhere`: also those of this user's processes on other hosts, of which nobody here can say whether they run.
    What belongs to another person, or to a process that runs, stays. Raises `ServiceError`.
    """
    owner = owner or Owner.current()
    deleted: list[str] = []
    async with using(account) as here:
        for arn in await _left(here, owner, _machines(here), elsewhere=elsewhere):
            await _stop_all(here, arn)
            if await tidy("state machine", arn, delete_state_machine(arn, account=here)):
                deleted.append(f"state machine {_name(arn)}")
        deleted += [
            f"activity {_name(arn)}"
            for arn in await _left(here, owner, _activities(here), elsewhere=elsewhere)
            if await tidy("activity", arn, delete_activity(arn, account=here))
        ]
    return tuple(Change(what, "deleted") for what in deleted)


async def clean_quietly(account: Account, owner: Owner) -> None:
    """`clean` beside something else, which is not to fail with it."""
    try:
        for change in await clean(owner=owner, account=account):
            log.info("left behind by a killed process", what=change.what, action=change.action)
    except ServiceError as error:
        log.warning("cannot look for what was left behind", error=str(error))


async def _left(account: Account, owner: Owner, arns: AsyncIterator[str], *, elsewhere: bool) -> list[str]:
    """Those of `arns` that were left behind. Only where the name says that it may be are the tags asked for."""
    called = owner_name(owner.user)
    left = []
    async for arn in arns:
        snapshot = Snapshot.of(arn)
        if snapshot is None or not snapshot.may_be_of(called):
            continue
        other = Owner.of(await _tags(account, arn))
        if other is None or other.user != owner.user:
            continue
        if owner.left(other) or (elsewhere and other.host != owner.host):
            left.append(arn)
    return left


async def _machines(account: Account) -> AsyncIterator[str]:
    async for machine in list_state_machines(account=account):
        yield machine.arn


async def _activities(account: Account) -> AsyncIterator[str]:
    async for activity in list_activities(account=account):
        yield activity.arn


async def _tags(account: Account, arn: str) -> dict[str, Any]:
    try:
        answer = await account.call("ListTagsForResource", resourceArn=arn)
    except ServiceError as error:
        if is_missing(error):
            return {}
        raise
    return {tag["key"]: tag["value"] for tag in answer["tags"]}


async def _stop_all(account: Account, machine: str) -> None:
    try:
        running = [one async for one in list_executions(machine, status=Status.RUNNING, account=account)]
    except ServiceError as error:
        if is_missing(error):
            return
        raise
    for execution in running:
        await tidy("execution", execution.arn, stop_execution(execution, cause="left behind", account=account))


def _name(arn: str) -> str:
    return arn.rpartition(":")[2]
