"""The proof that events arrive: a tiny execution whose event some service takes from the queue.

Who asks for it holds a lease in the store; who receives the event gives it back. So it does not matter which of several
services that is, and nothing is proved by what polling finds.
"""

import time
from uuid import uuid4

import anyio

from workers.errors import UsageError
from workers.machines.registration.ensure import ensure_state_machine
from workers.manager.events.message import StatusChange
from workers.manager.store.interface import Store
from workers.stepfunctions.account import Account

MACHINE = "workers-check-sync"
"""The state machine of the execution."""
WITHIN = 30.0
"""Seconds for which the event is waited for; the lease lasts as long."""
_LEASE = "check-sync"
_EVERY = 0.1
_PASSES = {"StartAt": "Pass", "States": {"Pass": {"Type": "Pass", "End": True}}}


async def prove(
    account: Account, store: Store, *, role: str | None = None, create_role: bool = False, within: float = WITHIN
) -> float | None:
    """The seconds from the start of an execution until its event was received; None if it was not `within` seconds.

    Somebody must receive while this waits. `role`, `create_role`: of the state machine, where it is made. Raises
    `UsageError` while another check runs, and `ServiceError`.
    """
    name = str(uuid4())
    if await store.acquire_lease(_LEASE, name, within) is None:
        raise UsageError("another check of events runs: wait until it has ended")
    machine = await ensure_state_machine(
        MACHINE, _PASSES, role=role, create_role=create_role and not role, account=account
    )
    if await store.acquire_lease(_LEASE, name, within) is None:
        raise UsageError("the state machine took too long to make: check again")
    begun = time.monotonic()
    await account.call("StartExecution", created=machine.created, stateMachineArn=machine.arn, name=name, input="{}")
    while time.monotonic() - begun < within:
        if await store.acquire_lease(_LEASE, f"{name} arrived", _EVERY):
            return time.monotonic() - begun
        await anyio.sleep(_EVERY)
    return None


def is_proof(change: StatusChange) -> bool:
    """Whether it is the execution of a check."""
    return change.execution.rpartition(":")[0].endswith(f":execution:{MACHINE}")


async def acknowledge(store: Store, change: StatusChange) -> None:
    """Says that the event of a check has arrived."""
    if lease := await store.acquire_lease(_LEASE, change.name, WITHIN):
        await store.release_lease(lease)
