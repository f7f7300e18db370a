"""`run_machine`: whole machines in one call."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from tests.reloaded.looks import one_task
from workers import ActivityError, Registry, Task, UsageError
from workers.executions.execution import Status
from workers.machines.problems import InvalidDefinitionError
from workers.testing import run_machine
from workers.testing.machine import StillRunsError


async def add(x: int, y: int) -> int:
    return x + y


def adder(function: Any = add) -> Registry:
    registry = Registry()
    registry.add("add", function)
    return registry


async def test_the_execution_is_returned_when_it_has_ended() -> None:
    run = await run_machine(one_task(), adder(), {"x": 1, "y": 2})
    assert (run.status, run.output, run.succeeded) == (Status.SUCCEEDED, 3, True)


async def test_a_file_is_a_definition(tmp_path: Path) -> None:
    file = tmp_path / "adder.yaml"
    file.write_text("start_at: Add\nstates: {Add: {type: task, resource: add, end: true}}\n")
    assert (await run_machine(file, adder(), {"x": 1, "y": 2})).output == 3
    file.write_text("start_at: Add\nstates: {Add: {type: pass, result: other, end: true}}\n")
    assert (await run_machine(file, adder())).output == "other"


async def test_states_tell_what_they_passed_on_and_how_often_they_were_tried() -> None:
    tries = iter([ActivityError("Busy"), ActivityError("Busy"), None])

    async def flaky() -> str:
        if error := next(tries):
            raise error
        return "done"

    definition = {
        "start_at": "Prepare",
        "states": {
            "Prepare": {"type": "pass", "result": {"n": 1}, "next": "Flaky"},
            "Flaky": {
                "type": "task",
                "resource": "add",
                "retry": [{"error_equals": "Busy", "interval_seconds": 1, "backoff_rate": 1}],
                "result_path": "$.said",
                "next": "Check",
            },
            "Check": {
                "type": "choice",
                "choices": [{"condition": ["=", "$.n", 2], "next": "Other"}],
                "default": "Done",
            },
            "Other": {"type": "fail"},
            "Done": {"type": "succeed"},
        },
    }
    run = await run_machine(definition, adder(flaky))
    assert run.states == ["Prepare", "Flaky", "Check", "Done"]
    assert run.passed("Flaky")
    assert not run.passed("Other")
    assert run.output_of("Prepare") == run.input_of("Flaky") == {"n": 1}
    assert run.output_of("Flaky") == {"n": 1, "said": "done"}
    assert (run.attempts("Flaky"), run.attempts("Prepare"), run.attempts("Other")) == (3, 0, 0)
    with pytest.raises(LookupError, match="state Other was not left; passed: Prepare, Flaky, Check, Done"):
        run.output_of("Other")
    with pytest.raises(LookupError, match="state Other was not entered; entered: Prepare, Flaky, Check, Done"):
        run.input_of("Other")


async def test_a_failure_says_where_and_why() -> None:
    def broken() -> None:
        raise ValueError("no luck")

    run = await run_machine(one_task(), adder(broken))
    assert (run.status, run.failed_state, run.error, run.message) == (Status.FAILED, "Work", "ValueError", "no luck")
    assert not run.passed("Work")


async def test_runs_side_by_side_do_not_see_each_other() -> None:
    def answering(number: int) -> Registry:
        async def answer() -> int:
            await asyncio.sleep(0.05)
            return number

        return adder(answer)

    runs = [run_machine(one_task(), answering(number)) for number in range(8)]
    assert [run.output for run in await asyncio.gather(*runs)] == list(range(8))


@pytest.mark.parametrize("number", range(3))
async def test_runs_after_one_another_do_not_either(number: int) -> None:
    assert (await run_machine(one_task(), adder(lambda: number))).output == number


async def test_handlers_run_in_the_loop_of_the_test_and_get_their_task() -> None:
    loop = asyncio.get_running_loop()

    async def look(task: Task) -> list[Any]:
        return [asyncio.get_running_loop() is loop, task.activity, task.state, task.attempt]

    assert (await run_machine(one_task(), adder(look))).output == [True, "add", "Work", 1]


async def test_what_cannot_run_is_refused() -> None:
    with pytest.raises(UsageError, match="uses the activities add, which have no handler"):
        await run_machine(one_task())
    with pytest.raises(InvalidDefinitionError):
        await run_machine({"start_at": "Nowhere", "states": {}})


async def test_an_execution_that_hangs_ends_the_test_and_not_the_next() -> None:
    async def hang() -> None:
        await asyncio.sleep(60)

    with pytest.raises(StillRunsError, match=r"still runs after 0\.3 s, in state Work"):
        await run_machine(one_task(), adder(hang), timeout=0.3)
    assert (await run_machine(one_task(), adder(lambda: 1))).output == 1
