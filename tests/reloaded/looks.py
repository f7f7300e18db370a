"""What is registered, as tests see it."""

from typing import Any

from workers.machines.activities import list_activities
from workers.machines.registration.machines import list_state_machines
from workers.stepfunctions.account import Account


async def registered(account: Account) -> list[str]:
    """The names of all machines and activities of the account's namespace."""
    machines = [machine.name async for machine in list_state_machines(account=account)]
    return machines + [activity.name async for activity in list_activities(account=account)]


def one_task(activity: str = "add", *, state: str = "Work", **fields: Any) -> dict[str, Any]:
    """A machine of one task."""
    return {"start_at": state, "states": {state: {"type": "task", "resource": activity, "end": True, **fields}}}
