"""Time that is skipped."""

import time
from typing import Any

from tests.reloaded.looks import one_task
from tests.testing.test_machine import adder
from workers import ActivityError
from workers.testing import run_machine


async def test_an_hour_passes_at_once_and_a_timeout_of_a_day_is_not_met() -> None:
    definition = one_task(timeout_seconds=86_400, heartbeat_seconds=3_600)
    definition["start_at"] = "Hour"
    definition["states"]["Hour"] = {"type": "wait", "seconds": 3_600, "next": "Work"}
    begun = time.monotonic()
    run = await run_machine(definition, adder(lambda: "done"))
    assert run.output == "done"
    assert run.seconds
    assert run.seconds >= 3_600
    assert time.monotonic() - begun < 60


async def test_retries_need_no_patience() -> None:
    def broken() -> None:
        raise ActivityError("Busy")

    retry: list[dict[str, Any]] = [{"error_equals": "Busy", "interval_seconds": 600, "max_attempts": 3}]
    run = await run_machine(one_task(retry=retry), adder(broken))
    assert (run.error, run.attempts("Work")) == ("Busy", 4)
