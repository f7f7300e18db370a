"""Lines of states side by side within a state: the branches of a Parallel, the iterations of an inline Map."""

import asyncio
from collections.abc import Callable
from typing import Protocol

from workers.local.branch import Branch, Plan
from workers.local.documents import Document
from workers.local.failures import MissedHeartbeatError
from workers.local.frames import Frame, Outcome
from workers.local.run import Run
from workers.local.values.errors import RUNTIME, StateError


class Lines(Protocol):
    """What the state says of the lines within it."""

    def begin(self, branch: Branch, index: int, after: int) -> Branch:
        """A new line, whose first event follows the event `after`."""

    def prepare(self, branch: Branch, child: Branch) -> None:
        """Gives a line that has not entered its first state its input. Raises `StateError`."""

    def resume(self, branch: Branch, index: int) -> Branch:
        """A line that was begun before the engine was started."""

    def succeeded(self, branch: Branch, child: Branch) -> int:
        """Called when a line is done; gives the id of the event that the end of the state follows."""

    def failed(self, child: Branch) -> None:
        """Called for the line that ends all others."""

    def abort_line(self, run: Run, frame: Frame) -> None:
        """Called for each line, of which `frame` is, that is ended because another failed."""


def abort_state(plan: Plan, run: Run, frame: Frame) -> None:
    """Writes that the state in which a line stands was ended from outside, if it was entered."""
    if frame.entered:
        plan.states[frame.state].abort(run, frame)


def abort_lines(run: Run, frame: Frame, abort_line: Callable[[Run, Frame], None]) -> None:
    """Lets `abort_line` write of each line within a state that it was ended from outside.

    Not where one has failed, which a moment ago has ended all others.
    """
    lines = list(frame.children.values())
    if not any(line.outcome and not line.outcome.succeeded for line in lines):
        for line in lines:
            if line.outcome is None:
                abort_line(run, line)


class Crew:
    """The lines of one state at work, `limit` of them at a time."""

    def __init__(self, branch: Branch, lines: Lines, size: int, limit: int) -> None:
        self._branch = branch
        self._lines = lines
        self._size = size
        self._limit = limit
        self._done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._next = 0
        self._left = size
        self._over = False

    async def outputs(self) -> list[Document]:
        """What all lines give, in their order. Raises the `StateError` of the first that fails."""
        frame = self._branch.frame
        known = dict(frame.children)
        self._next = max(known, default=-1) + 1
        for child in known.values():  # before any goes on: the one that failed has ended all others
            if child.outcome and not child.outcome.succeeded:
                raise _failure(child.outcome)
        working = 0
        for index, child in known.items():
            if child.outcome is None:
                working += 1
                self._go_on(index)
            else:
                self._left -= 1
        while working < self._limit and self._next < self._size and not self._over:
            working += 1
            self._begin(frame.last)
        if self._left:
            await self._done
        elif self._done.done():
            self._done.result()
        outcomes = (frame.children[index].outcome for index in range(self._size))
        return [outcome.output for outcome in outcomes if outcome and outcome.output]

    def _go_on(self, index: int) -> None:
        child = self._lines.resume(self._branch, index)
        self._branch.run.spawn(child.frame, self._line(child))

    def _begin(self, after: int) -> None:
        index, self._next = self._next, self._next + 1
        child = self._lines.begin(self._branch, index, after)
        self._branch.run.spawn(child.frame, self._line(child))

    async def _line(self, child: Branch) -> None:
        try:
            if not child.frame.entered:
                self._lines.prepare(self._branch, child)
            output = await child.walk()
        except StateError as error:
            self._fail(child, error)
        else:
            self._succeed(child, output)

    def _succeed(self, child: Branch, output: Document) -> None:
        branch, frame = self._branch, child.frame
        frame.outcome = Outcome(output)
        frame.children, frame.progress = {}, None
        branch.run.save(frame)
        after = frame.last
        branch.frame.last = self._lines.succeeded(branch, child)
        self._left -= 1
        if self._left == 0:  # not before: the frame of a Map has all its items
            branch.save()
        if self._next < self._size:
            self._begin(after)
        elif self._left == 0 and not self._done.done():
            self._done.set_result(None)

    def _fail(self, child: Branch, error: StateError) -> None:
        """The first failure ends all other lines."""
        if self._over:
            return
        self._over = True
        branch, run = self._branch, self._branch.run
        missed = isinstance(error, MissedHeartbeatError)
        child.frame.outcome = Outcome(None, error.error, error.cause, missed_heartbeat=missed)
        run.save(child.frame)
        told = error.error != RUNTIME  # it ends the execution at once, and nothing else is said of it (measured on AWS)
        if told:
            self._lines.failed(child)
        branch.frame.last = child.frame.last
        branch.save()
        for other in branch.frame.children.values():
            if other.outcome is None:
                run.cancel(other)
                if told:
                    self._lines.abort_line(run, other)
        if not self._done.done():
            self._done.set_exception(error)


def _failure(outcome: Outcome) -> StateError:
    """The error with which a line ended before the engine was started."""
    return MissedHeartbeatError() if outcome.missed_heartbeat else StateError(outcome.error, outcome.cause)
