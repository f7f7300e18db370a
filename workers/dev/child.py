"""A process that loads the user's code once, and works for one round.

It is started before it is needed and imports everything but the user's code meanwhile, also what that has imported the
last time and that is not part of it, so that a save is answered at once.
"""

import json
import os
import signal
import socket
import sys
from typing import Any

import anyio
import structlog
from structlog.typing import EventDict, WrappedLogger

import workers.stepfunctions.fast.choice  # noqa: F401 - a worker would load it, when it is waited for
from workers.dev.imports import import_all, installed
from workers.dev.messages import Line
from workers.dev.sources import Sources
from workers.errors import UsageError
from workers.failures import failure
from workers.loading import load_registry
from workers.logs import configure_logs
from workers.offline.environment import ActivityEnvironment
from workers.registry import Registry
from workers.settings import Settings
from workers.stepfunctions.connection import Connection, connect
from workers.supervisor.worker import Worker

_SHOWN_ANYWAY = frozenset({"task failed", "task closed", "forced to stop"})
"""Log events whose news the loop shows itself."""


def main(end: int) -> None:
    """The life of the process. `end`: its end of the socket to the loop."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the loop
    anyio.run(_live, socket.socket(fileno=end))
    sys.stdout.flush()
    os._exit(0)  # threads of handlers do not keep it


async def _live(end: socket.socket) -> None:
    line = await Line.on(end)
    if (message := await line.hear()) is None:
        return
    settings = Settings(**message["begin"])
    import_all(message["imports"])
    configure_logs("warning" if settings.log_level == "info" else settings.log_level, settings.log_format)
    structlog.configure(processors=[_unless_shown, *structlog.get_config()["processors"]])
    connection = await connect(settings)
    async with connection.client("stepfunctions"):
        pass  # the session has now read what it needs to make clients
    await line.say(ready=os.getpid())
    child = _Child(line, settings, connection)
    while message := await line.hear():
        (word,) = message
        await getattr(child, f"on_{word}")(message[word])
        if word == "stop":
            return


class _Child:
    def __init__(self, line: Line, settings: Settings, connection: Connection) -> None:
        self._line = line
        self._settings = settings
        self._connection = connection
        self._sources = Sources()
        self._registry = Registry()
        self._worker: Worker | None = None

    async def on_load(self, target: str) -> None:
        """Imports the user's code."""
        self._sources.watch()
        before = set(sys.modules)
        try:
            self._registry = load_registry(target)
        except UsageError as error:
            await self._line.say(failed=str(error), files=self._sources.read)
        else:
            names = [handler.name for handler in self._registry]
            await self._line.say(loaded=names, files=self._sources.read, imports=installed(sys.modules.keys() - before))

    async def on_work(self, arns: dict[str, str]) -> None:
        """Begins to work for the activities, by the names of their handlers."""
        worker = Worker(self._registry, self._settings, session=self._connection.session, arns=arns)
        try:
            await worker.start()
        except Exception as error:  # noqa: BLE001 - a lifespan raises what it will
            await self._line.say(failed=_described(error), files=self._sources.read)
        else:
            self._worker = worker
            await self._line.say(working=True)

    async def on_rest(self, _: Any) -> None:
        """Drops what it does; says which files have been read until now."""
        if self._worker:
            await self._worker.drop()
            self._worker = None
        await self._line.say(rested=True, files=self._sources.read)

    async def on_invoke(self, what: dict[str, Any]) -> None:
        """Runs one handler without Step Functions."""
        environment = ActivityEnvironment(
            self._registry, settings=self._settings, stored=True, connection=self._connection
        )
        try:
            returned = await environment.run(what["handler"], what["input"])
        except Exception as error:  # noqa: BLE001 - whatever a handler raises is shown
            reported = failure(error)
            await self._line.say(raised=reported.error, cause=reported.cause, files=self._sources.read)
        else:
            await self._line.say(returned=returned, files=self._sources.read)

    async def on_stop(self, _: Any) -> None:
        """Drops what it does, and leaves."""
        if self._worker:
            await self._worker.drop()


def _described(error: BaseException) -> str:
    if isinstance(error, UsageError):
        return str(error)
    return "\n".join(json.loads(failure(error).cause)["stackTrace"])


def _unless_shown(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    if event.get("event") in _SHOWN_ANYWAY:
        raise structlog.DropEvent
    return event
