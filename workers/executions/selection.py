"""Which executions of a state machine are meant: by status, age, error and state."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from fnmatch import fnmatchcase

from workers.errors import UsageError
from workers.executions.execution import Execution, Status, from_description
from workers.executions.failure import failed_state
from workers.executions.listing import list_executions
from workers.executions.watching import progress_of
from workers.stepfunctions.account import Account

Age = float | timedelta


@dataclass(frozen=True, kw_only=True)
class Selection:
    """Executions of one state machine; what is None does not matter. Ages are seconds, or timedeltas, since the start.

    `error` is the name of the error, `state` the state in which the execution failed, or which runs; `*` and `?` stand
    for any characters in both.
    """

    machine: str
    older_than: Age | None = None
    newer_than: Age | None = None
    error: str | None = None
    state: str | None = None

    async def candidates(self, account: Account, status: Status) -> AsyncIterator[Execution]:
        """The executions with that status, and of that age, the newest first."""
        now = datetime.now(UTC)
        older, newer = _span(self.older_than), _span(self.newer_than)
        async for execution in list_executions(self.machine, status=status, account=account):
            age = now - execution.started
            if newer is not None and age >= newer:
                return  # and so are all that follow
            if older is None or age > older:
                yield execution

    async def wants(self, account: Account, execution: Execution) -> Execution | None:
        """The execution, with what had to be asked of it, if its error and its state are the ones; else None."""
        if self.error is not None:
            execution = from_description(await account.call("DescribeExecution", executionArn=execution.arn))
            if not fnmatchcase(execution.error or "", self.error):
                return None
        if self.state is None:
            return execution
        if execution.status.ended:
            state = await failed_state(account, execution.arn)
            states = {state} if state else set()
        else:
            states = (await progress_of(execution, account=account)).running
        matching = sorted(state for state in states if fnmatchcase(state, self.state))
        return replace(execution, failed_state=matching[0]) if matching else None


def _span(age: Age | None) -> timedelta | None:
    if age is None or isinstance(age, timedelta):
        return age
    try:
        return timedelta(seconds=age)
    except (OverflowError, ValueError, TypeError) as error:
        raise UsageError(f"{age!r} is no age: give seconds or a timedelta ({error})") from None
