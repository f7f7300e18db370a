"""The loop: a round at the start, and at each save and each key, until somebody quits."""

import asyncio
import json
import signal
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, nullcontext

import anyio
from anyio.abc import TaskGroup

from workers.dev.editing import edit
from workers.dev.engine import engine
from workers.dev.keys import Keys
from workers.dev.plan import Plan
from workers.dev.process import Child, Spare, a_spare
from workers.dev.round import Result, play
from workers.dev.standby import Standby
from workers.dev.view import View
from workers.dev.watching import Watched
from workers.errors import UsageError, WorkersError
from workers.machines.problems import InvalidDefinitionError
from workers.offline.replay import handler_name
from workers.reloaded.leftovers import clean_quietly
from workers.reloaded.owner import Owner
from workers.reloaded.run import alone
from workers.stepfunctions.account import Account, open_account

Pages = Callable[[Account], AbstractAsyncContextManager[str]]
"""Serves the web page on an account while its context is open, and gives its URL."""
_REFILL = 0.3
"""Seconds into a round after which the next child is started: it would take the CPU from a round that is shorter."""
_HELP_STANDBY = "r load the code again · q quit"
_HELP = "r run again · i edit the input · p replay what failed · q quit"


async def develop(plan: Plan, view: View, *, pages: Pages | None = None) -> None:
    """Runs the machines of `plan` on each save until somebody quits. Raises `UsageError` for what cannot start.

    `pages` serves a web page of executions, whose addresses are shown then.
    """
    owner = Owner.current(plan.user)
    async with (
        a_spare() as spare,
        engine(plan.settings) as started,
        open_account(plan.settings) as account,
        pages(account) if pages else nullcontext() as view.page,
    ):
        spare.settings.set_result(alone(plan.settings, account))
        where = plan.settings.local_url if plan.settings.local else f"{account.place.region}, {account.place.account}"
        view.say(f"Step Functions at {where}{', started here' if started else ''}", "dim")
        if view.page:
            view.say(f"Web page at {view.page}", "dim")
        await clean_quietly(account, owner)
        try:
            await _Loop(plan, view, account, owner, spare).run()
        finally:
            await spare.close()  # before the engine ends, which a child that is just starting would miss


class _Loop:
    def __init__(self, plan: Plan, view: View, account: Account, owner: Owner, spare: Spare) -> None:
        self._plan = plan
        self._view = view
        self._account = account
        self._owner = owner
        self._watched = Watched(plan.files, plan.watch)
        self._spare = spare
        self._wakes: asyncio.Queue[str] = asyncio.Queue()
        self._keys = Keys(self._wakes.put_nowait)
        self._failed: Result | None = None
        self._standby = Standby(plan, view, account, owner) if plan.standby else None
        self._help = _HELP_STANDBY if plan.standby else _HELP

    async def run(self) -> None:
        async with anyio.create_task_group() as group:
            self._watch(group)
            with self._keys.on():
                if self._keys.there:
                    self._view.say(self._help, "dim")
                try:
                    await self._rounds()
                finally:
                    if self._standby:
                        await self._standby.close()
            group.cancel_scope.cancel()

    def _watch(self, group: TaskGroup) -> None:
        group.start_soon(self._on_signal, name="signals")
        group.start_soon(self._on_changes, self._watched.changes, name="watch files")
        if self._watched.has_trees:
            group.start_soon(self._on_changes, self._watched.changes_below, name="watch folders")

    async def _on_signal(self) -> None:
        with anyio.open_signal_receiver(signal.SIGINT, signal.SIGTERM, signal.SIGHUP) as signals:
            async for _ in signals:
                self._wakes.put_nowait("q")

    async def _on_changes(self, changes: Callable[[], AsyncIterator[list[str]]]) -> None:
        async for changed in changes():
            self._wakes.put_nowait(f"{', '.join(changed)} saved")

    async def _rounds(self) -> None:
        wake = "the first run"
        while wake != "q":
            wake = await self._until_woken(self._done(wake))

    async def _until_woken(self, work: Awaitable[None]) -> str:
        """Does `work`, which ends where it stands when something new is asked for."""
        working = asyncio.ensure_future(work)
        waking = asyncio.ensure_future(self._wakes.get())
        try:
            await asyncio.wait({working, waking}, return_when=asyncio.FIRST_COMPLETED)
            if working.done():
                working.result()
            return await waking
        finally:
            waking.cancel()
            working.cancel()
            with anyio.CancelScope(shield=True):
                await asyncio.wait({working, waking})

    async def _done(self, wake: str) -> None:
        if self._standby and (len(wake) > 1 or wake == "r"):
            await self._take_over(self._standby, "once more" if wake == "r" else wake)
        elif self._standby:
            return
        elif wake == "p":
            await self._telling(self._replay)
        elif wake == "i":
            if await self._edited():
                await self._telling(lambda child: self._round(child, "with the new input"))
        elif len(wake) > 1 or wake == "r":
            why = "once more" if wake == "r" else wake
            await self._telling(lambda child: self._round(child, why))
        elif wake in "h?":
            self._view.say(self._help, "dim")

    async def _telling(self, work: Callable[[Child], Awaitable[None]]) -> None:
        """Does `work` with a fresh child; what goes wrong with the user's files is shown, and the loop goes on."""
        child = await self._spare.take()
        self._watched.begin()
        refill = asyncio.get_running_loop().call_later(_REFILL, self._spare.prepare)
        try:
            await work(child)
        except (WorkersError, InvalidDefinitionError) as error:
            self._view.error(str(error))
        finally:
            refill.cancel()
            self._watched.note(child.files)
            await child.stop()
            self._spare.prepare()

    async def _take_over(self, standby: Standby, why: str) -> None:
        """Gives the work to a child with the code as it is now; where it cannot work, all stays as it was."""
        self._view.begin(why)
        child = await self._spare.take()
        self._watched.begin()
        try:
            await standby.take_over(child, await self._loaded(child))
        except (WorkersError, InvalidDefinitionError) as error:
            self._view.error(str(error))
        finally:
            if not standby.has(child):
                await child.stop()
            self._spare.prepare()

    async def _loaded(self, child: Child) -> list[str]:
        """The names of the handlers. Raises `CodeError`."""
        self._watched.loose = True
        try:
            names = await child.load(self._plan.target)
        finally:
            self._watched.note(child.files)
        self._watched.loose = False
        self._spare.imports += [name for name in child.imports if name not in self._spare.imports]
        return names

    async def _round(self, child: Child, why: str) -> None:
        asked = time.monotonic()
        self._view.begin(why)
        names = await self._loaded(child)
        for machine in self._plan.machines:
            self._view.machine(machine.name, several=len(self._plan.machines) > 1)
            result = await play(
                machine,
                child,
                names,
                self._plan,
                account=self._account,
                owner=self._owner,
                watching=self._view.states,
            )
            self._view.result(result, since=time.monotonic() - asked)
            if result.failed:
                self._failed = result

    async def _replay(self, child: Child) -> None:
        if self._failed is None or self._failed.failed is None:
            self._view.say("nothing has failed yet that could be replayed", "dim")
            return
        recorded = self._failed.failed
        self._view.begin(f"state {recorded.state} of {self._failed.machine.name}, once more on the input it failed on")
        names = await self._loaded(child)
        outcome = await child.invoke(handler_name(names, recorded.activity, self._account), recorded.input)
        if outcome.error is None:
            self._view.say(json.dumps(outcome.returned, indent=2, ensure_ascii=False), "green")
        else:
            self._view.error(f"{outcome.error}\n{outcome.cause}")

    async def _edited(self) -> bool:
        """Whether there is a new input to run with."""
        if not self._keys.there:
            return False
        try:
            with self._keys.off():
                return await edit(self._plan.machines)
        except UsageError as error:
            self._view.error(str(error))
            return False
