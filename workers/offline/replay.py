"""A task of an execution, once more, by the handler as it is now. Step Functions hears nothing of it."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from workers.arns import NAME_LIMIT, NAMESPACE_SEPARATOR, activity_name, is_arn
from workers.errors import UsageError
from workers.offline.environment import ActivityEnvironment
from workers.offline.recorded import Recorded, recorded_task
from workers.registry import Registry
from workers.reloaded.names import original
from workers.settings import Settings
from workers.stepfunctions.account import Account


@dataclass(frozen=True, slots=True)
class Replay:
    """A task and the handler for it."""

    recorded: Recorded
    handler: str
    """The name under which it is registered."""
    environment: ActivityEnvironment

    async def run(self) -> Any:
        """What the handler returns this time, with its interceptors; raises what it raises."""
        return await self.environment.run(self.handler, self.recorded.input)


async def replay(
    execution: str,
    registry: Registry,
    *,
    state: str | None = None,
    settings: Settings | None = None,
    account: Account,
) -> Replay:
    """The task in which `execution` (its ARN, or MACHINE:NAME) failed, or one of `state`, ready to run again.

    Claims in its input are reloaded from the stores that `settings` (the worker's) and interceptors name. Raises
    `UsageError` where there is no such task, or no handler for it, and `ServiceError`.
    """
    found = await recorded_task(execution, state=state, account=account)
    environment = ActivityEnvironment(
        registry, settings=settings or account.settings, stored=True, connection=account.connection
    )
    return Replay(found, handler_of(registry, found.activity, account), environment)


def handler_of(registry: Registry, arn: str, account: Account) -> str:
    """The name of the handler for an activity: also of one in another namespace, or made for a single run.

    Raises `UsageError`.
    """
    return handler_name([handler.name for handler in registry], arn, account)


def handler_name(names: Collection[str], arn: str, account: Account) -> str:
    """The same among the `names` of handlers."""
    if exact := next((name for name in names if account.activity(name) == arn), None):
        return exact
    activity = activity_name(arn)
    plain = [name for name in names if not is_arn(name)]
    for called in (activity, activity.partition(NAMESPACE_SEPARATOR)[2]):
        room = NAME_LIMIT - len(activity) + len(called)
        for name in plain:
            if called and name in {called, original(called, plain, room=room)}:
                return name
    raise UsageError(f"no handler is registered for activity {activity}; registered: {', '.join(sorted(names))}")
