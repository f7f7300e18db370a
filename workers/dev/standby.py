"""Workers for executions that are started elsewhere: the newest code for each that begins, the old for those that run.

The machines keep their names as long as the loop runs. On each save they are updated to use fresh activities, which
only the process with the new code polls; the process before it stays until the executions that it knows have ended.
"""

import asyncio
from collections.abc import Collection, Coroutine, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import anyio

from workers.dev.plan import Plan
from workers.dev.process import Child, ChildEndedError
from workers.dev.view import View
from workers.executions.control import stop_execution
from workers.executions.execution import Execution, Status
from workers.executions.listing import list_executions
from workers.machines.activities import ensure_activities
from workers.machines.definition import load
from workers.reloaded.fresh import Wanted, machine_name, prepare, register, remove, role_of, tidy
from workers.reloaded.names import Snapshot, owner_name
from workers.reloaded.owner import Owner
from workers.stepfunctions.account import SETTLES, Account

_LOOK = 1.0
"""Seconds between two looks at what still runs with old code."""


@dataclass(slots=True)
class _Generation:
    """A process and the activities that it works for."""

    child: Child
    activities: Collection[str]
    watch: asyncio.Task[None]


class Standby:
    """The machines, the process with the newest code, and those before it that are still needed."""

    def __init__(self, plan: Plan, view: View, account: Account, owner: Owner) -> None:
        self._plan = plan
        self._view = view
        self._account = account
        self._owner = owner
        self._names = Snapshot(owner_name(owner.user))
        self._machines: dict[str, None] = {}
        self._now: _Generation | None = None
        self._retiring: dict[asyncio.Task[None], _Generation] = {}

    async def take_over(self, child: Child, handlers: Collection[str]) -> None:
        """From now on `child` works for all executions that begin. Raises what `play` raises.

        It is done or not done, never half. A save that comes meanwhile waits for calls to end, but not for lifespans of
        the user's, which need never be entered.
        """
        fresh = Snapshot(owner_name(self._owner.user))
        wanted = [
            prepare(self._account, machine.name, load(machine.file), handlers, fresh) for machine in self._plan.machines
        ]
        arns = {name: arn for one in wanted for name, arn in one.arns.items()}
        try:
            await _to_its_end(ensure_activities(arns.values(), tags=self._owner.tags, account=self._account))
            await child.work(arns)
            await _to_its_end(self._switch(child, wanted, arns.values()))
        except BaseException:
            if not self.has(child):
                await remove(self._account, (), arns.values())
            raise

    async def _switch(self, child: Child, wanted: Sequence[Wanted], activities: Collection[str]) -> None:
        for machine, one in zip(self._plan.machines, wanted, strict=True):
            await self._register(machine.name, one)
        before, watch = self._now, asyncio.create_task(self._tell_of_end(child), name="watch the child")
        self._now = _Generation(child, activities, watch)
        if before:
            self._retiring[asyncio.create_task(self._retire(before), name="retire old code")] = before
        for machine in self._plan.machines:
            name = machine_name(self._account, machine.name, self._names)
            self._view.say(f"{machine.name} is {name}: start executions of it anywhere", "green")

    async def _register(self, name: str, wanted: Wanted) -> None:
        role = self._plan.role or await role_of(self._account, name)
        named = replace(wanted, name=machine_name(self._account, name, self._names))
        self._machines[self._account.state_machine(named.name)] = None
        await register(self._account, named, role=role, owner=self._owner)

    def has(self, child: Child) -> bool:
        """Whether `child` works for executions."""
        return self._now is not None and self._now.child is child

    async def close(self) -> None:
        """Ends all processes, stops what runs, and deletes everything."""
        with anyio.CancelScope(shield=True):
            for task in self._retiring:
                task.cancel()
            for machine in self._machines:
                for execution in await self._running(machine):
                    stopped = stop_execution(execution, cause="the loop was ended", account=self._account)
                    await tidy("execution", execution.arn, stopped)
            for generation in (*self._retiring.values(), *([self._now] if self._now else [])):
                await self._end(generation)
            await remove(self._account, self._machines, ())

    async def _retire(self, generation: _Generation) -> None:
        """Ends a process whose code is old, once nothing runs that has begun with it."""
        settles = timedelta(seconds=0 if self._account.settings.local else SETTLES)
        since = datetime.now(UTC) + settles
        while await self._begun_before(since):  # noqa: ASYNC110 - others end those executions, somewhere
            await anyio.sleep(_LOOK)
        await self._end(generation)
        if (task := asyncio.current_task()) is not None:
            self._retiring.pop(task, None)

    async def _begun_before(self, since: datetime) -> bool:
        if datetime.now(UTC) < since:
            return True
        running = [await self._running(machine) for machine in self._machines]
        return any(execution.started <= since for executions in running for execution in executions)

    async def _running(self, machine: str) -> list[Execution]:
        return [one async for one in list_executions(machine, status=Status.RUNNING, account=self._account)]

    async def _end(self, generation: _Generation) -> None:
        generation.watch.cancel()
        await generation.child.stop()
        await remove(self._account, (), generation.activities)

    async def _tell_of_end(self, child: Child) -> None:
        with suppress(asyncio.CancelledError):
            try:
                await child.ended()
            except ChildEndedError as error:
                self._view.error(f"{error}; the next save starts another")


async def _to_its_end(work: Coroutine[Any, Any, object]) -> None:
    """Does all of `work`, also when the caller is cancelled meanwhile."""
    task = asyncio.create_task(work, name="take over")
    try:
        await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait({task})
        raise
