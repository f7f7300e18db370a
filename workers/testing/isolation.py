"""What a test leaves on the engine is deleted, so that the next one finds it empty."""

from workers.executions.control import stop_execution
from workers.executions.execution import Status
from workers.executions.listing import list_executions
from workers.machines.activities import delete_activity, list_activities
from workers.machines.registration.machines import delete_state_machine, list_state_machines
from workers.stepfunctions.account import Account
from workers.testing.engine import shared_engine
from workers.testing.machine import registrations


def delete_everything() -> None:
    """Stops all executions and deletes all machines and activities. Blocks; not for the engine's own thread."""
    registrations.forget()
    shared = shared_engine()
    shared.portal.call(_delete, shared.account)


async def _delete(account: Account) -> None:
    for arn in [machine.arn async for machine in list_state_machines(account=account)]:
        await _stop_all(arn, account)
        await delete_state_machine(arn, account=account)
    for arn in [activity.arn async for activity in list_activities(account=account)]:
        await delete_activity(arn, account=account)


async def _stop_all(machine: str, account: Account) -> None:
    running = list_executions(machine, status=Status.RUNNING, account=account)
    for execution in [one async for one in running]:
        await stop_execution(execution, cause="the test is over", account=account)
