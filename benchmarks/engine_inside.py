"""How fast the embedded Step Functions is without HTTP: `python benchmarks/engine_inside.py`.

Executions of one task, started and worked on in the engine's own event loop, in memory and with what it knows kept in
a directory; and waits that are skipped. Takes some ten seconds.
"""

import asyncio
import json
import tempfile
from functools import partial
from pathlib import Path
from time import perf_counter
from typing import Any

from rich.console import Console
from rich.table import Table

from workers.local.clock import Clock, SkippingClock
from workers.local.region import Region
from workers.local.regions import Regions, accepted
from workers.local.services import OtherServices
from workers.local.store import Store

MANY = 3_000
TOGETHER = 32
ACTIVITY = "arn:aws:states:us-east-1:123456789012:activity:echo"
TASK = {"Type": "Task", "Resource": ACTIVITY, "TimeoutSeconds": 60, "End": True}
ONE_TASK = {"StartAt": "Echo", "States": {"Echo": TASK}}
RETRY = [{"ErrorEquals": ["States.ALL"], "IntervalSeconds": 600}]
SLOW = {
    "StartAt": "Wait",
    "TimeoutSeconds": 86_400,
    "States": {"Wait": {"Type": "Wait", "Seconds": 3_600, "Next": "Echo"}, "Echo": {**TASK, "Retry": RETRY}},
}


class Inside:
    """An engine on this event loop, and a worker."""

    def __init__(self, clock: Clock) -> None:
        new_region: Any = partial(Region, clock=clock, poll_hold=60, keep=1_000)
        self.regions = Regions("", new_region, OtherServices(0), None, delivered=list)
        self.region = self.regions.get("us-east-1")
        self.failures = 0

    async def ask(self, operation_name: str, **parameters: Any) -> Any:
        operation, checked = accepted(operation_name, parameters)
        answer: Any = self.regions.lasting(operation_name, operation)(self.region, checked)
        return await answer if asyncio.iscoroutine(answer) else answer

    async def machine(self, definition: Any) -> str:
        await self.ask("CreateActivity", name="echo")
        role = "arn:aws:iam::123456789012:role/echo"
        made = await self.ask("CreateStateMachine", name="echo", definition=json.dumps(definition), roleArn=role)
        return made["stateMachineArn"]

    async def work(self) -> None:
        while True:
            task = await self.ask("GetActivityTask", activityArn=ACTIVITY)
            if self.failures:
                self.failures -= 1
                await self.ask("SendTaskFailure", taskToken=task["taskToken"], error="Once")
            else:
                await self.ask("SendTaskSuccess", taskToken=task["taskToken"], output=task["input"])

    async def run(self, machine: str) -> None:
        started = await self.ask("StartExecution", stateMachineArn=machine, input='{"x": 1}')
        execution = self.region.execution(started["executionArn"])
        await self.region.wait_for_end(execution)
        if execution.status != "SUCCEEDED":
            raise SystemExit("an execution did not succeed: figures of failures mean nothing")


async def rate(*, kept: bool) -> float:
    """Executions a second."""
    inside = Inside(Clock())
    with tempfile.TemporaryDirectory() as directory:
        if kept:
            await inside.regions.keep(Store(Path(directory)))
        machine = await inside.machine(ONE_TASK)
        workers = [asyncio.create_task(inside.work()) for _ in range(TOGETHER)]
        left = MANY

        async def some() -> None:
            nonlocal left
            while left > 0:
                left -= 1
                await inside.run(machine)

        started = perf_counter()
        await asyncio.gather(*(some() for _ in range(TOGETHER)))
        seconds = perf_counter() - started
        for worker in workers:
            worker.cancel()
        await inside.regions.close()
    return MANY / seconds


async def skipped() -> float:
    """Seconds for a machine that waits an hour, and ten minutes before a retry."""
    inside = Inside(SkippingClock())
    machine = await inside.machine(SLOW)
    worker = asyncio.create_task(inside.work())
    await inside.run(machine)
    inside.failures = 1
    started = perf_counter()
    await inside.run(machine)
    seconds = perf_counter() - started
    worker.cancel()
    return seconds


def main() -> None:
    table = Table("figure", "measured", title="Embedded Step Functions without HTTP")
    table.add_row("one-task executions a second", f"{asyncio.run(rate(kept=False)):.0f}")
    table.add_row("the same, kept in a directory", f"{asyncio.run(rate(kept=True)):.0f}")
    table.add_row("an hour's wait and a retry after ten minutes, skipped", f"{asyncio.run(skipped()) * 1000:.0f} ms")
    Console().print(table)


if __name__ == "__main__":
    main()
