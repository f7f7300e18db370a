"""The executions of the demo: a few at a time, until all have ended or one has failed."""

from collections.abc import Callable, Sequence

import anyio

from workers.demo.library import Package
from workers.executions.execution import Execution
from workers.executions.start import start_execution
from workers.machines.registration.results import Registered
from workers.stepfunctions.account import Account

_AT_ONCE = 6


async def run_executions(
    account: Account, machine: Registered, packages: Sequence[Package], ended: Callable[[Execution], None]
) -> None:
    """One execution of `machine` for each package, in order; calls `ended` as they end.

    None is started any more after one has failed.
    """
    waiting = list(reversed(packages))

    async def run_some() -> None:
        while waiting:
            package = waiting.pop()
            given = {"package": package.name, "folder": str(package.folder)}
            execution = await start_execution(machine, given, name=package.name, wait=True, account=account)
            ended(execution)
            if not execution.succeeded:
                waiting.clear()

    async with anyio.create_task_group() as group:
        for number in range(_AT_ONCE):
            group.start_soon(run_some, name=f"executions {number}")
