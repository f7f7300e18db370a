"""Executions are named by their ARN, or as MACHINE:NAME."""

from workers.arns import check_name, is_arn, namespaced
from workers.errors import UsageError
from workers.executions.execution import Execution
from workers.stepfunctions.account import Account


def execution_arn(account: Account, execution: str | Execution) -> str:
    """The ARN of an execution. Raises `UsageError` for what names none."""
    if isinstance(execution, Execution):
        return execution.arn
    if is_arn(execution):
        if ":execution:" in execution or ":express:" in execution:
            return execution
        raise UsageError(f"{execution!r} is not the ARN of an execution")
    machine, colon, name = execution.partition(":")
    if not (machine and colon and name):
        raise UsageError(f"{execution!r} names no execution: write its ARN, or MACHINE:NAME")
    machine = check_name(namespaced(machine, account.namespace), "state machine")
    return account.place.execution(machine, check_name(name, "execution"))
