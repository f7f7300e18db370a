"""One run: fresh registrations, workers for them alone, an execution, and nothing left."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, nullcontext, suppress
from typing import Any

import anyio

from workers.errors import WorkersError
from workers.executions.execution import Execution
from workers.executions.start import NO_INPUT
from workers.executions.waiting import Watching
from workers.machines.definition import load
from workers.machines.registration.wanted import Given
from workers.payloads.payloads import Payloads
from workers.registry import Registry
from workers.reloaded.fresh import Fresh, fresh
from workers.reloaded.leftovers import clean_quietly
from workers.reloaded.owner import Owner
from workers.settings import Settings
from workers.stepfunctions.account import Account, using
from workers.supervisor.worker import Worker


async def start_execution(
    name: str,
    definition: Given,
    registry: Registry,
    input: Any = NO_INPUT,  # noqa: A002 - AWS's own word
    *,
    role: str | None = None,
    payloads: Payloads | str | None = None,
    watching: Watching | None = None,
    settings: Settings | None = None,
    account: Account | None = None,
) -> Execution:
    """Runs `definition` once, with the handlers of `registry` as they are now; the execution when it has ended.

    A state machine and activities are registered that no other worker knows of, polled by a worker for this run
    alone, and deleted when it ends, however it ends. What earlier runs left behind whose process was killed is
    deleted as well. `definition`: a file, Python data, a model. `role`: the ARN of the machine's role; by default
    that of the machine registered as `name`; the embedded engine needs none. `payloads`: a store for what is too
    large in the input. `settings`: the worker's; by default the account's.

    Raises `UsageError` when the definition uses an activity that has no handler, and `InvalidDefinitionError`, before
    anything is registered; `ServiceError`.
    """
    loaded = load(definition)
    owner = Owner.current()
    handlers = [handler.name for handler in registry]
    async with using(account) as here:
        async with (
            fresh(here, name, loaded, handlers, role=role, owner=owner) as run,
            working(worker_for(run, registry, settings or here.settings)) if run.arns else nullcontext(),
        ):
            execution = await run.run(input, payloads=payloads, watching=watching)
        await clean_quietly(here, owner)
        return execution


def worker_for(run: Fresh, registry: Registry, settings: Settings) -> Worker:
    """The worker of one run."""
    account = run.account
    return Worker(registry, alone(settings, account), session=account.connection.session, arns=run.arns)


@asynccontextmanager
async def working(worker: Worker) -> AsyncIterator[None]:
    """Lets a worker work while it is entered; then drops its polls.

    A worker that breaks cancels what is done meanwhile, and its error is raised.
    """
    await worker.start()
    with anyio.CancelScope() as scope:
        watching = asyncio.create_task(_cancel_after(worker, scope), name="watch the worker")
        try:
            yield
        finally:
            watching.cancel()
            with anyio.CancelScope(shield=True):
                await worker.drop()
    if scope.cancelled_caught:
        raise WorkersError("the worker ended before the execution did")


def alone(settings: Settings, account: Account) -> Settings:
    """The settings of a worker that is there for one run only: without what is for a life in production."""
    unlimited = {"health_port": None, "max_tasks": None, "max_rss": None}
    return settings.model_copy(update={"account": account.place.account, **unlimited})


async def _cancel_after(worker: Worker, scope: anyio.CancelScope) -> None:
    with suppress(Exception):  # `drop()` raises it again
        await worker.ended()
    scope.cancel()
