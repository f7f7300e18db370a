"""One round of one machine: fresh registrations, a child that works for them, an execution, its result."""

import asyncio
from collections.abc import Collection, Coroutine
from dataclasses import dataclass, field
from typing import Any, TypeVar

import anyio

from workers.dev.plan import Machine, Plan
from workers.dev.process import Child
from workers.errors import UsageError
from workers.executions.execution import Execution
from workers.executions.waiting import Watching
from workers.machines.definition import load
from workers.offline.recorded import Recorded, recorded_task
from workers.reloaded.fresh import fresh
from workers.reloaded.owner import Owner
from workers.stepfunctions.account import Account

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Result:
    """How a round ended."""

    machine: Machine
    execution: Execution
    failed: Recorded | None = field(default=None, repr=False)
    """The task that the execution failed of."""


async def play(
    machine: Machine,
    child: Child,
    handlers: Collection[str],
    plan: Plan,
    *,
    account: Account,
    owner: Owner,
    watching: Watching,
) -> Result:
    """Runs `machine` on its input with the code that `child` has loaded.

    Raises `InvalidDefinitionError`, `UsageError` for an input or a definition that cannot be run, `CodeError`,
    `ChildEndedError` and `ServiceError`.
    """
    given = machine.input.read()
    definition = load(machine.file)
    async with fresh(account, machine.name, definition, handlers, role=plan.role, owner=owner) as run:
        if run.arns:
            await child.work(run.arns)
        try:
            execution = await _unless_it_ends(child, run.run(given, watching=watching))
            failed = None if execution.succeeded else await _failed(execution, account)
        finally:
            await child.rest()
    return Result(machine, execution, failed)


async def _failed(execution: Execution, account: Account) -> Recorded | None:
    """The task that it failed of: asked for now, because its history may go with its machine."""
    try:
        return await recorded_task(execution.arn, state=None, account=account)
    except UsageError:
        return None


async def _unless_it_ends(child: Child, work: Coroutine[Any, Any, T]) -> T:
    """`work`, or the error that the child has ended by itself."""
    ended = asyncio.create_task(child.ended(), name="watch the child")
    working = asyncio.create_task(work, name="execution")
    try:
        await asyncio.wait({ended, working}, return_when=asyncio.FIRST_COMPLETED)
        if ended.done():
            ended.result()
        return working.result()
    finally:
        for task in (ended, working):
            task.cancel()
        with anyio.CancelScope(shield=True):
            await asyncio.wait({ended, working})
