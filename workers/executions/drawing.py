"""What a picture of an execution is drawn from: the definition that it runs, and its history."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from workers.executions.execution import Execution
from workers.executions.history import history_items
from workers.executions.names import execution_arn
from workers.stepfunctions.account import Account, using


@dataclass(frozen=True, slots=True)
class Drawn:
    """For `workers.machines.draw` and `draw_tree`."""

    title: str
    definition: Mapping[str, Any] = field(repr=False)
    """In ASL, as it was when the execution was started."""
    history: list[dict[str, Any]] = field(repr=False)
    """Its events as GetExecutionHistory gives them, oldest first, without inputs and outputs."""


async def drawn(execution: str | Execution, *, account: Account | None = None) -> Drawn:
    """What there is to draw of an execution (its ARN, or MACHINE:NAME). Raises `ServiceError`."""
    async with using(account) as here:
        arn = execution_arn(here, execution)
        machine = await here.call("DescribeStateMachineForExecution", executionArn=arn)
        history = [item async for item in history_items(here, arn, data=False)]
        return Drawn(":".join(arn.split(":")[6:8]), json.loads(machine["definition"]), history)
