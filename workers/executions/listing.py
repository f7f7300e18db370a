"""The executions of a state machine."""

from collections.abc import AsyncIterator

from workers.errors import UsageError
from workers.executions.execution import Execution, Status, from_description
from workers.stepfunctions.account import Account, using

_PAGE = 1_000


async def list_executions(
    machine: str, *, status: Status | str | None = None, account: Account | None = None
) -> AsyncIterator[Execution]:
    """The executions of a state machine (`NAME`, `NAME:VERSION`, `NAME:ALIAS` or an ARN), the newest first.

    All pages are read, one after another as they are needed; inputs and outputs are not part of them. Raises
    `UsageError` for a status that there is not, and `ServiceError`.
    """
    async with using(account) as here:
        arn = here.state_machine(machine)
        only = None if status is None else _status(status)
        async for item in here.items(
            "ListExecutions", "executions", stateMachineArn=arn, statusFilter=only, maxResults=_PAGE
        ):
            yield from_description(item)


def _status(given: str) -> str:
    if given not in set(Status):
        raise UsageError(f"there is no status {given!r}: an execution is {', '.join(Status)}")
    return str(given)
