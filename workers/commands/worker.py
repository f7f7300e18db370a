"""A worker whose one activity is a command."""

import shutil
import signal
import threading
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import anyio
from pydantic import Field

from workers.commands.command import Command, CommandHandler
from workers.commands.places import check_root
from workers.commands.utilisation import INTERVAL, Utilisation, keep_utilisation
from workers.errors import UsageError
from workers.metrics import ACTIVE_PERCENT
from workers.registry import Registry
from workers.settings import Settings
from workers.supervisor.worker import Worker

FORWARDED = (signal.SIGHUP, signal.SIGQUIT, signal.SIGUSR2)
"""Signals that go on to the commands. SIGTERM and SIGINT stop the worker, which stops them; SIGUSR1 is its own."""


class CommandSettings(Settings):
    """The settings of a worker that runs a command: one at a time, unless it is told otherwise."""

    concurrency: int = Field(1, ge=1, le=100_000, description="Commands that may run at once.")


def command_worker(
    activity: str,
    arguments: Sequence[str],
    settings: Settings,
    *,
    work_directory: Path,
    sfncli: bool = False,
) -> Worker:
    """A worker that runs the command `arguments` for each task of `activity`.

    Raises `UsageError` when there is no such command, or no place for its work directories.
    """
    if shutil.which(arguments[0]) is None:
        raise UsageError(f"there is no command {arguments[0]!r} that this user may run: give a path, or look at PATH")
    command = Command(
        arguments=arguments,
        root=check_root(work_directory),
        grace=settings.grace - min(1.0, settings.grace / 10),  # the end is reported before the worker's grace is over
        sfncli=sfncli,
    )
    utilisation = Utilisation(settings.concurrency, paused=lambda: worker.status().braked.get(activity, 0.0))
    handler = CommandHandler(command, utilisation)

    @asynccontextmanager
    async def lifespan() -> AsyncIterator[None]:
        async with anyio.create_task_group() as side:
            emit = settings.metrics == "emf"
            side.start_soon(
                lambda: keep_utilisation(utilisation, _arn, emit=emit, interval=INTERVAL), name="utilisation"
            )
            if threading.current_thread() is threading.main_thread():
                await side.start(_forward, handler, name="signals for commands")
            yield
            side.cancel_scope.cancel()

    def _arn() -> str | None:
        return next((found.arn for found in worker.activities), None)

    registry = Registry(lifespan=lifespan)
    registry.add(activity, handler.run)
    worker = Worker(registry, settings)
    worker.metrics.watches(ACTIVE_PERCENT, (activity,), lambda: utilisation.last)
    return worker


async def _forward(handler: CommandHandler, *, task_status: anyio.abc.TaskStatus[None]) -> None:
    with anyio.open_signal_receiver(*FORWARDED) as received:
        task_status.started()
        async for number in received:
            handler.forward(number)
