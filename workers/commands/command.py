"""A command as the handler of an activity."""

import json
import os
import shutil
import signal
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import anyio
import structlog

from workers.commands.child import Child
from workers.commands.places import Place, fresh_place
from workers.commands.rules import EXECUTION_NAME, End, Rules
from workers.commands.streams import LastLine, Passing, Tail
from workers.commands.utilisation import Utilisation
from workers.errors import CAUSE_LIMIT
from workers.task import CancelReason, Task

log = structlog.get_logger(__name__)

ARGUMENT_LIMIT = 131_071
"""Bytes of one argument (Linux, execve(2): MAX_ARG_STRLEN, with the zero at its end)."""
_TO_END = 4.0
"""Seconds from SIGTERM to SIGKILL for a command whose task is closed: before the worker gives the handler up."""

_encode = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode


@dataclass(frozen=True, kw_only=True)
class Command:
    """A command line, and how it is run."""

    arguments: Sequence[str]
    """The program, a path or a name that PATH finds, and what comes before the input."""
    root: Path
    """The directory in which those of tasks are made."""
    grace: float
    """Seconds from SIGTERM to SIGKILL when the worker is being stopped."""
    sfncli: bool = False
    """Whether errors are named, and inputs and results treated, as sfncli does."""


class CommandHandler:
    """Runs a command for each task; `run` is the handler."""

    def __init__(self, command: Command, utilisation: Utilisation) -> None:
        self._command = command
        self._rules = Rules(sfncli=command.sfncli)
        self._utilisation = utilisation
        self._running: set[Child] = set()
        self._writing = anyio.CapacityLimiter(1)

    async def run(self, event: Any, /, task: Task) -> Any:
        """The result of the command on the input `event`. Raises `ActivityError`."""
        with self._utilisation.working():
            name = self._rules.execution_name(event, task.context.execution_name if task.context else None)
            text = _encode(event)
            try:
                async with fresh_place(self._command.root, text.encode()) as place:
                    return self._rules.result(await self._in_place(task, place, text, name), name)
            except OSError as error:
                raise self._rules.no_place(error) from error

    def forward(self, number: signal.Signals) -> None:
        """Sends a signal to every command that runs, and to all that these have started."""
        for child in self._running:
            child.send(number)

    async def _in_place(self, task: Task, place: Place, text: str, name: str | None) -> End:
        stdout, stderr = LastLine(), Tail(CAUSE_LIMIT)
        out = Passing(sys.stdout.buffer, self._writing, stdout)
        err = Passing(sys.stderr.buffer, self._writing, stderr)
        async with self._started(place, text, name) as child, anyio.create_task_group() as side:
            side.start_soon(self._end_when_draining, task, child, name=f"drain of {child.pid}")
            side.start_soon(self._end_when_cancelled, task, child, name=f"end of {child.pid}")
            with anyio.CancelScope(shield=True):  # to its end: what it still has to say is heard
                code = await child.run(out.take, err.take)
                await out.end()
                await err.end()
            side.cancel_scope.cancel()
        log.debug("command ended", pid=child.pid, code=code)
        return End(code, task.draining.is_set(), stdout, stderr)

    @asynccontextmanager
    async def _started(self, place: Place, text: str, name: str | None) -> AsyncIterator[Child]:
        arguments = [*self._command.arguments, text if len(text.encode()) <= ARGUMENT_LIMIT else f"@{place.input}"]
        environment = {**os.environ, "WORK_DIR": str(place.work), "INPUT_FILE": str(place.input)}
        if name:
            environment[EXECUTION_NAME] = name
        try:
            child = await Child.start(arguments, environment, place.input)
        except OSError as error:
            found = shutil.which(arguments[0], mode=os.F_OK) is not None
            raise self._rules.not_started(arguments[0], error, found=found) from error
        self._running.add(child)
        try:
            yield child
        finally:
            with anyio.CancelScope(shield=True):
                await child.close()
            self._running.discard(child)

    async def _end_when_draining(self, task: Task, child: Child) -> None:
        await task.draining
        await child.end(grace=self._command.grace)

    async def _end_when_cancelled(self, task: Task, child: Child) -> None:
        try:
            await anyio.sleep_forever()
        finally:
            with anyio.CancelScope(shield=True):  # without a reason it is just over
                await child.end(grace=_TO_END if task.cancel_reason is CancelReason.TASK_CLOSED else 0.0)
