"""Stopping and redriving many executions: at a rate, in a dry run first, and able to go on after an interruption."""

from collections.abc import Awaitable, Callable
from contextlib import nullcontext
from dataclasses import dataclass, field
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import Any

import anyio
from anyio.streams.memory import MemoryObjectReceiveStream, MemoryObjectSendStream

from workers.errors import UsageError
from workers.executions.control import redrive_execution, stop_execution
from workers.executions.execution import Execution, Status
from workers.executions.journal import Journal
from workers.executions.selection import Selection
from workers.payloads.together import side_by_side
from workers.stepfunctions.account import Account, using
from workers.stepfunctions.pacing import Bucket, Pace
from workers.stepfunctions.protocol import RefusedError

RATE = 10.0
"""Executions a second: well inside of all buckets, and others get their share."""
_AT_ONCE = 8

REDRIVABLE = (Status.FAILED, Status.TIMED_OUT)
"""What is redriven unless something else is asked for: not what somebody stopped on purpose."""


class Did(StrEnum):
    """What became of an execution in a bulk operation."""

    DONE = "done"
    WOULD = "would be done"
    """In a dry run."""
    REFUSED = "refused"
    """By Step Functions, for instance because it has ended in the meantime."""
    SKIPPED = "done before"
    """According to the journal."""


@dataclass(frozen=True, slots=True)
class Step:
    """One execution of a bulk operation."""

    execution: Execution
    did: Did
    reason: str = ""
    """Why it was refused."""

    def to_json(self) -> dict[str, Any]:
        """As `--json` prints it."""
        found = self.execution
        return {
            "execution": found.arn,
            "did": str(self.did),
            "error": found.error,
            "state": found.failed_state,
            "started": found.started.isoformat(),
        } | ({"reason": self.reason} if self.reason else {})


@dataclass
class Summary:
    """How many executions were looked at, and what became of those that were meant."""

    looked_at: int = 0
    counts: dict[Did, int] = field(default_factory=lambda: dict.fromkeys(Did, 0))

    def to_json(self) -> dict[str, Any]:
        """As `--json` prints it."""
        return {"looked_at": self.looked_at} | {str(did): count for did, count in self.counts.items()}


def _ignore(step: Step) -> None:
    del step


async def stop_executions(
    selection: Selection,
    *,
    error: str | None = None,
    cause: str | None = None,
    rate: float = RATE,
    dry_run: bool = False,
    journal: str | Path | None = None,
    progress: Callable[[Step], None] = _ignore,
    account: Account | None = None,
) -> Summary:
    """Stops all running executions of `selection`, `rate` a second at most; `error` and `cause` are given as reason.

    `dry_run` tells only what would be done. `progress` is called for each one. `journal`: a file; called again with
    the same one, it goes on where it was interrupted. Raises `UsageError` and `ServiceError`.
    """
    if selection.error is not None:
        raise UsageError("a running execution has no error yet: select those to be stopped by age and state")
    act = partial(stop_execution, error=error, cause=cause)
    return await _bulk(
        _Work("stop", (Status.RUNNING,), act), selection, rate, dry_run=dry_run, journal=journal, progress=progress,
        account=account,
    )  # fmt: skip


async def redrive_executions(
    selection: Selection,
    *,
    statuses: tuple[Status, ...] = REDRIVABLE,
    rate: float = RATE,
    dry_run: bool = False,
    journal: str | Path | None = None,
    progress: Callable[[Step], None] = _ignore,
    account: Account | None = None,
) -> Summary:
    """Redrives all executions of `selection` that ended with one of `statuses`; else as `stop_executions`.

    What fails again is redriven again by the next call, unless a `journal` says that it was done.
    """
    if wrong := set(statuses) - {Status.FAILED, Status.TIMED_OUT, Status.ABORTED}:
        raise UsageError(f"what is {', '.join(sorted(wrong))} cannot be redriven: choose FAILED, TIMED_OUT or ABORTED")
    return await _bulk(
        _Work("redrive", statuses, redrive_execution), selection, rate, dry_run=dry_run, journal=journal,
        progress=progress, account=account,
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Work:
    action: str
    statuses: tuple[Status, ...]
    act: Callable[..., Awaitable[Any]]


async def _bulk(
    work: _Work,
    selection: Selection,
    rate: float,
    *,
    dry_run: bool,
    journal: str | Path | None,
    progress: Callable[[Step], None],
    account: Account | None,
) -> Summary:
    if not rate > 0:
        raise UsageError(f"a rate of {rate!r} never comes to an end: give executions a second, above 0")
    async with using(account) as here:
        machine = here.state_machine(selection.machine)
        kept = Journal(journal, action=work.action, machine=machine) if journal and not dry_run else None
        with kept or nullcontext():
            run = _Run(here, work, selection, Pace(Bucket(0, rate)), kept, progress, dry_run=dry_run)
            return await run()


class _Run:
    def __init__(
        self,
        account: Account,
        work: _Work,
        selection: Selection,
        pace: Pace,
        journal: Journal | None,
        progress: Callable[[Step], None],
        *,
        dry_run: bool,
    ) -> None:
        self._account = account
        self._work = work
        self._selection = selection
        self._pace = pace
        self._journal = journal
        self._progress = progress
        self._dry_run = dry_run
        self._summary = Summary()

    async def __call__(self) -> Summary:
        """Looks and acts side by side."""
        send, receive = anyio.create_memory_object_stream[Execution](_AT_ONCE)
        async with side_by_side() as group:
            for _ in range(_AT_ONCE):
                group.start_soon(self._take, receive.clone())
            receive.close()
            await self._find(send)
        return self._summary

    async def _find(self, send: MemoryObjectSendStream[Execution]) -> None:
        seen = set()
        async with send:
            for status in self._work.statuses:
                async for execution in self._selection.candidates(self._account, status):
                    if execution.arn in seen:  # it was redriven, and has failed again
                        continue
                    seen.add(execution.arn)
                    self._summary.looked_at += 1
                    await send.send(execution)

    async def _take(self, receive: MemoryObjectReceiveStream[Execution]) -> None:
        async with receive:
            async for execution in receive:
                if step := await self._step(execution):
                    self._summary.counts[step.did] += 1
                    self._progress(step)

    async def _step(self, execution: Execution) -> Step | None:
        if self._journal and execution.arn in self._journal.done:
            return Step(execution, Did.SKIPPED)
        wanted = await self._selection.wants(self._account, execution)
        if wanted is None:
            return None
        if self._dry_run:
            return Step(wanted, Did.WOULD)
        await self._pace.turn()
        try:
            await self._work.act(wanted, account=self._account)
        except RefusedError as error:
            return Step(wanted, Did.REFUSED, str(error))
        if self._journal:
            self._journal.add(wanted.arn)
        return Step(wanted, Did.DONE)
