"""The loop's side of a child process: started, spoken to, ended."""

import asyncio
import os
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, Self

import anyio

from workers.dev.messages import Line
from workers.dev.sources import Signature
from workers.errors import WorkersError
from workers.settings import Settings

_TO_LEAVE = 2.0
"""Seconds that a child gets to end its handlers and leave its lifespans."""

Files = dict[str, Signature | None]


class CodeError(WorkersError):
    """The user's code cannot be loaded, or its lifespan cannot be entered. The message is its own traceback."""


class ChildEndedError(WorkersError):
    """A child has ended: the user's code has called `os._exit`, or was killed, also for not ending its work."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a handler ended that was run without Step Functions."""

    returned: Any = None
    error: str | None = None
    cause: str = field(default="", repr=False)


class Child:
    """A process that is there for one round. It is ended when the loop ends, whatever happens."""

    def __init__(self, process: asyncio.subprocess.Process, line: Line, lifeline: int) -> None:
        self.files: Files = {}
        """The user's files that it has read, as they were before that."""
        self.imports: list[str] = []
        """The modules that the user's code has imported and that are not the user's."""
        self._process = process
        self._line = line
        self._lifeline = lifeline
        self._hung = False

    @classmethod
    async def start(cls, settings: Awaitable[Settings], imports: Sequence[str] = ()) -> Self:
        """A child that is ready, with everything imported but the user's code, also the modules `imports`.

        `settings` may be known later.
        """
        ours, theirs = socket.socketpair()
        read, write = os.pipe()
        said = [str(theirs.fileno()), str(read), str(os.getpid())]
        try:
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-P", "-m", "workers.dev.start", *said),
                stdin=subprocess.DEVNULL,
                pass_fds=(theirs.fileno(), read),
                start_new_session=True,
            )
        except BaseException:
            ours.close()
            os.close(write)
            raise
        finally:
            theirs.close()
            os.close(read)
        child = cls(process, await Line.on(ours), write)
        try:
            await child._line.say(begin=(await settings).model_dump(), imports=list(imports))
            await child._answer("ready")
        except BaseException:
            await child.kill()
            raise
        return child

    async def load(self, target: str) -> list[str]:
        """Imports the user's code; the names of the handlers that are registered. Raises `CodeError`."""
        await self._line.say(load=target)
        answer = await self._answer("loaded")
        self.imports = answer["imports"]
        return list(answer["loaded"])

    async def work(self, arns: Mapping[str, str]) -> None:
        """Works for the activities, by the names of their handlers. Raises `CodeError`."""
        await self._line.say(work=dict(arns))
        await self._answer("working")

    async def rest(self) -> None:
        """Ends the work; another may begin. A process that is too busy to end it is killed."""
        await self._line.say(rest=True)
        with anyio.move_on_after(_TO_LEAVE) as limit:
            await self._answer("rested")
        if limit.cancelled_caught:
            self._hung = True
            await self.kill()

    async def invoke(self, handler: str, given: Any) -> Outcome:
        """Runs one handler without Step Functions."""
        await self._line.say(invoke={"handler": handler, "input": given})
        answer = await self._answer("returned", "raised")
        return Outcome(answer.get("returned"), answer.get("raised"), answer.get("cause", ""))

    async def ended(self) -> None:
        """Waits until it has ended by itself, which it should not; raises `ChildEndedError`."""
        raise self._gone(await self._process.wait())

    async def stop(self) -> None:
        """Ends it, politely for a moment."""
        with anyio.CancelScope(shield=True):
            await self._line.say(stop=True)
            with anyio.move_on_after(_TO_LEAVE):
                await self._process.wait()
            await self.kill()

    async def kill(self) -> None:
        """Ends it, whatever it does."""
        with anyio.CancelScope(shield=True):
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, 9)
            await self._process.wait()
            self._line.close()
            if self._lifeline >= 0:
                os.close(self._lifeline)
                self._lifeline = -1

    async def _answer(self, *words: str) -> dict[str, Any]:
        message = await self._line.hear()
        if message is None:
            raise self._gone(await self._process.wait())
        self.files |= {path: tuple(found) if found else None for path, found in message.get("files", {}).items()}
        if "failed" in message:
            raise CodeError(message["failed"])
        if not any(word in message for word in words):
            raise WorkersError(f"the child was to say {words[0]!r} and said {list(message)}")
        return message

    def _gone(self, code: int) -> ChildEndedError:
        if self._hung:
            return ChildEndedError(f"the process with your code was killed: it did not end its work in {_TO_LEAVE:g} s")
        how = f"signal {-code}" if code < 0 else f"exit code {code}"
        return ChildEndedError(f"the process with your code has ended by itself, with {how}")


class Spare:
    """The next child, started before it is needed."""

    def __init__(self) -> None:
        self.settings: asyncio.Future[Settings] = asyncio.get_running_loop().create_future()
        """The settings of the children's workers; the first child may be started before they are known."""
        self.imports: list[str] = []
        """What the next child imports before it is needed."""
        self._starting: asyncio.Task[Child] | None = None

    def prepare(self) -> None:
        """Starts the next child, unless one is on its way."""
        if self._starting is None:
            self._starting = asyncio.create_task(Child.start(self.settings, self.imports), name="start a child")

    async def take(self) -> Child:
        """The next child, as soon as it is ready."""
        self.prepare()
        assert self._starting  # noqa: S101 - for the type checker
        child = await asyncio.shield(self._starting)
        self._starting = None
        return child

    async def close(self) -> None:
        """Ends the child that nobody has taken."""
        if self._starting is None:
            return
        self._starting.cancel()  # one that is not ready is ended where it stands, for nobody waits for it
        with anyio.CancelScope(shield=True), suppress(Exception, asyncio.CancelledError):
            child = await self._starting
            await child.kill()
        self._starting = None


@asynccontextmanager
async def a_spare() -> AsyncIterator[Spare]:
    """The next child, again and again, the first on its way at once; none is left in the end."""
    spare = Spare()
    spare.prepare()
    try:
        yield spare
    finally:
        await spare.close()
