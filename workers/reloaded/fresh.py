"""A state machine and its activities, registered for one run and deleted after it."""

import uuid
from collections.abc import AsyncIterator, Awaitable, Collection, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import anyio
import structlog

from workers.arns import NAME_LIMIT, activity_name, namespaced
from workers.errors import UsageError
from workers.executions.control import stop_execution
from workers.executions.execution import Execution
from workers.executions.start import NO_INPUT, start_execution
from workers.executions.waiting import Watching
from workers.machines.activities import delete_activity
from workers.machines.definition import Definition
from workers.machines.registration.ensure import ensure_state_machine
from workers.machines.registration.machines import delete_state_machine
from workers.machines.registration.registered import find
from workers.machines.registration.results import Registered
from workers.payloads.payloads import Payloads
from workers.reloaded.names import Snapshot, owner_name
from workers.reloaded.owner import Owner
from workers.stepfunctions.account import Account, is_missing
from workers.stepfunctions.protocol import ServiceError

log = structlog.get_logger(__name__)

_TO_DELETE = 20.0
"""Seconds that deleting may take; what is left then is found by its tags."""


@dataclass(frozen=True, kw_only=True)
class Fresh:
    """A state machine that was registered for one run."""

    account: Account = field(repr=False)
    machine: Registered
    arns: Mapping[str, str]
    """The ARN of the fresh activity of each handler that the definition uses, by the handler's name."""

    async def run(
        self, given: Any = NO_INPUT, *, payloads: Payloads | str | None = None, watching: Watching | None = None
    ) -> Execution:
        """An execution, from its start to its end; it is stopped when the wait for it is cancelled."""
        name = str(uuid.uuid4())
        try:
            return await start_execution(
                self.machine, given, name=name, wait=True, payloads=payloads, watching=watching, account=self.account
            )
        except BaseException:
            arn = self.account.place.execution(self.machine.name, name)
            await tidy("execution", arn, stop_execution(arn, cause="the run was ended", account=self.account))
            raise


@asynccontextmanager
async def fresh(
    account: Account,
    name: str,
    definition: Definition,
    handlers: Collection[str],
    *,
    role: str | None = None,
    owner: Owner | None = None,
) -> AsyncIterator[Fresh]:
    """Registers `definition` under a name that nothing has had before, with activities of their own.

    Everything is deleted when the context is left. `handlers`: the names of those that there are. `role`: on AWS the
    ARN of the machine's role; by default that of the machine that is registered as `name`.
    Raises `UsageError` when the definition uses an activity without a handler, `InvalidDefinitionError`, both before
    anything is registered, and `ServiceError`.
    """
    owner = owner or Owner.current()
    wanted = prepare(account, name, definition, handlers, Snapshot(owner_name(owner.user)))
    role = role or await role_of(account, name)
    try:
        yield await register(account, wanted, role=role, owner=owner)
    finally:
        await remove(account, [account.state_machine(wanted.name)], wanted.arns.values())


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be registered for one run."""

    name: str
    """The fresh name of the machine."""
    asl: dict[str, Any] = field(repr=False)
    """Its definition, on the fresh activities."""
    arns: dict[str, str]
    """The ARN of the fresh activity of each handler that it uses, by the handler's name."""


def prepare(
    account: Account, name: str, definition: Definition, handlers: Collection[str], snapshot: Snapshot
) -> Wanted:
    """What `definition` becomes in a snapshot. Raises `UsageError` and `InvalidDefinitionError`."""
    asl = definition.to_asl(place=account.place, namespace=account.namespace)
    used = handlers_of(account, definition, handlers)
    arns = {arn: account.place.activity(_activity_name(account, activity_name(arn), snapshot)) for arn in used}
    return Wanted(
        machine_name(account, name, snapshot), with_activities(asl, arns), {used[arn]: new for arn, new in arns.items()}
    )


def machine_name(account: Account, name: str, snapshot: Snapshot) -> str:
    """The fresh name of a machine, to which the account adds its namespace. Raises `UsageError` for a long one."""
    return snapshot.name(name, room=NAME_LIMIT - len(namespaced("", account.namespace)))


def _activity_name(account: Account, name: str, snapshot: Snapshot) -> str:
    """The fresh name of an activity, whose namespace stays whole: what was left behind is looked for in it."""
    prefix = namespaced("", account.namespace)
    if not name.startswith(prefix):
        return snapshot.name(name)
    return prefix + snapshot.name(name.removeprefix(prefix), room=NAME_LIMIT - len(prefix))


async def register(account: Account, wanted: Wanted, *, role: str | None, owner: Owner) -> Fresh:
    """Registers it, with the tags of its owner. Raises `ServiceError`."""
    machine = await ensure_state_machine(wanted.name, wanted.asl, role=role, tags=owner.tags, account=account)
    return Fresh(account=account, machine=machine, arns=wanted.arns)


def handlers_of(account: Account, definition: Definition, handlers: Collection[str]) -> dict[str, str]:
    """The names of the handlers for the activities of a definition, by the ARN of the activity.

    Raises `UsageError` when one is missing.
    """
    known = {account.activity(handler): handler for handler in handlers}
    used = definition.activities(place=account.place, namespace=account.namespace)
    if missing := [activity_name(arn) for arn in used if arn not in known]:
        raise UsageError(
            f"{definition.name} uses the activities {', '.join(missing)}, which have no handler; "
            f"registered: {', '.join(sorted(handlers)) or 'none'}"
        )
    return {arn: known[arn] for arn in used}


def with_activities(machine: Mapping[str, Any], arns: Mapping[str, str]) -> dict[str, Any]:
    """A copy of a machine in ASL, or of a part of one, in which other activities stand."""
    states = {name: _state(state, arns) for name, state in machine["States"].items()}
    return {**machine, "States": states}


def _state(state: Mapping[str, Any], arns: Mapping[str, str]) -> dict[str, Any]:
    copy = dict(state)
    if state["Type"] == "Task":
        copy["Resource"] = arns.get(state["Resource"], state["Resource"])
    for key in ("ItemProcessor", "Iterator"):
        if key in state:
            copy[key] = with_activities(state[key], arns)
    if "Branches" in state:
        copy["Branches"] = [with_activities(branch, arns) for branch in state["Branches"]]
    return copy


async def role_of(account: Account, name: str) -> str | None:
    """The role of the machine that is registered under its own name; the embedded engine needs none.

    Raises `UsageError` where there is no such machine.
    """
    if account.settings.local:
        return None
    if known := await find(account, account.state_machine(name)):
        return known.configuration.role
    raise UsageError(f"a state machine on AWS needs a role, and there is no {name} whose role it could take: give one")


async def remove(account: Account, machines: Collection[str], activities: Collection[str]) -> None:
    """Deletes what was registered, by its ARNs, also while the caller is being cancelled."""
    for arn in machines:
        await tidy("state machine", arn, delete_state_machine(arn, account=account))
    for arn in activities:
        await tidy("activity", arn, delete_activity(arn, account=account))


async def tidy(what: str, arn: str, work: Awaitable[object]) -> bool:
    """Does `work`, cancelled or not; what fails is logged. Whether it is done, or was not needed."""
    with anyio.CancelScope(shield=True):
        try:
            with anyio.fail_after(_TO_DELETE):
                await work
        except (ServiceError, TimeoutError) as error:
            if isinstance(error, ServiceError) and is_missing(error):
                return True
            log.warning("left behind", what=what, arn=arn, error=str(error) or "no answer")
            return False
    return True
