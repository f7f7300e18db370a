"""In which state an execution ended badly."""

from workers.executions.history import execution_history
from workers.stepfunctions.account import Account


async def failed_state(account: Account, arn: str) -> str | None:
    """The state in which the execution failed: the innermost one, inside of Parallel and Map states.

    Where the end has no cause in a state, because the execution timed out or was stopped, the state it was last in.
    The history is read from its end, and only as far as needed. Raises `ServiceError`.
    """
    cause: int | None = None
    left: set[str] = set()
    last: str | None = None
    async for event in execution_history(arn, newest_first=True, data=False, account=account):
        if cause is None or event.id == cause:
            if event.state:
                return event.state
            cause = event.previous
        if last is None and event.state:
            if event.type.endswith("StateExited"):
                left.add(event.state)
            elif event.type.endswith("StateEntered") and event.state not in left:
                last = event.state
        if not cause and last:
            return last
    return last
