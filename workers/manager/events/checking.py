"""`workers serve --check-sync`: does an event of an execution arrive, and if not, what is in its way?"""

from contextlib import AsyncExitStack
from dataclasses import dataclass, replace

from workers.errors import UsageError
from workers.manager.events.examining import examine
from workers.manager.events.proof import WITHIN, prove
from workers.manager.events.queue import open_queue
from workers.manager.opening import Service, manager_of
from workers.settings import Settings
from workers.stepfunctions.account import open_account


@dataclass(frozen=True, slots=True)
class Checked:
    """What came of a check."""

    problems: tuple[str, ...]
    """What AWS tells against it."""
    seconds: float | None
    """After which the event came; None if it did not."""
    waited: float
    """Seconds."""


async def check_events(service: Service, settings: Settings, *, within: float = WITHIN) -> Checked:
    """Starts a tiny execution and waits for its event, which this process or another service takes from the queue.

    Raises `UsageError` where nothing can be checked: no queue, no role for the execution's state machine.
    """
    if service.events is None:
        raise UsageError("say which queue events come by: --events QUEUE")
    async with AsyncExitStack() as stack:
        account = await stack.enter_async_context(open_account(settings.model_copy(update={"namespace": None})))
        manager = await stack.enter_async_context(manager_of(service, account))
        made = replace(service.events, create=False)
        queue = await stack.enter_async_context(open_queue(account, made))
        problems = await examine(account, queue)
        seconds = await prove(account, manager.store, role=service.role, create_role=service.create_role, within=within)
    return Checked(tuple(problems), seconds, within)
