"""The executions of the demo: a few at a time, until all have ended or one has failed."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import anyio

from workers.demo.library import Package

_AT_ONCE = 6
_LOOK_EVERY = 0.1


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one execution ended."""

    package: Package
    arn: str
    status: str
    seconds: float
    output: Any = None
    """The decoded output, where it succeeded."""
    problem: str = ""
    """Error and cause, where it did not."""

    @property
    def succeeded(self) -> bool:
        """Whether it did."""
        return self.status == "SUCCEEDED"


async def run_executions(
    client: Any, state_machine: str, packages: Sequence[Package], ended: Callable[[Outcome], None]
) -> None:
    """One execution of the state machine for each package, in order; calls `ended` as they end.

    None is started any more after one has failed.
    """
    waiting = list(reversed(packages))

    async def run_some() -> None:
        while waiting:
            outcome = await _run(client, state_machine, waiting.pop())
            ended(outcome)
            if not outcome.succeeded:
                waiting.clear()

    async with anyio.create_task_group() as group:
        for number in range(_AT_ONCE):
            group.start_soon(run_some, name=f"executions {number}")


async def _run(client: Any, state_machine: str, package: Package) -> Outcome:
    given = json.dumps({"package": package.name, "folder": str(package.folder)})
    started = await client.start_execution(stateMachineArn=state_machine, name=package.name, input=given)
    seen = await _end(client, started["executionArn"])
    problem = ": ".join(filter(None, (seen.get("error"), seen.get("cause"))))
    return Outcome(
        package=package,
        arn=seen["executionArn"],
        status=seen["status"],
        seconds=(seen["stopDate"] - seen["startDate"]).total_seconds(),
        output=json.loads(seen["output"]) if "output" in seen else None,
        problem=problem,
    )


async def _end(client: Any, arn: str) -> Any:
    """Waits for the end of an execution; its description."""
    while True:
        seen = await client.describe_execution(executionArn=arn)
        if seen["status"] != "RUNNING":
            return seen
        await anyio.sleep(_LOOK_EVERY)


async def read_history(client: Any, arn: str) -> list[dict[str, Any]]:
    """All events of an execution, the oldest first."""
    pages = client.get_paginator("get_execution_history").paginate(executionArn=arn)
    return [event async for page in pages for event in page["events"]]
