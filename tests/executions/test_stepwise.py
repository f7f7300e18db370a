"""Stepwise's case 1 on the engine, and what it got wrong about executions, by the numbers in the list of its bugs."""

from collections.abc import Callable
from typing import Any

from tests.executions.machines import ECHO, fails, registered
from workers import Registry
from workers.executions import Status, describe_execution, start_execution
from workers.stepfunctions.account import Account


async def test_stepwise_case_1_input_and_output_of_a_task_are_moved_around(run_machine: Callable[..., Any]) -> None:
    registry = Registry()

    @registry.activity("add")
    async def add(comment: str, MyInput: dict[str, int]) -> dict[str, int]:  # noqa: N803 - as the case says
        assert comment == "a literal"
        return {"z": MyInput["newX"] + MyInput["newY"]}

    definition = {
        "start_at": "Add",
        "timeout_seconds": 60,
        "states": {
            "Add": {
                "type": "task",
                "comment": "adds",
                "resource": "add",
                "parameters": {"comment": "a literal", "MyInput": {"newX.$": "$.x", "newY.$": "$.y"}},
                "result_selector": {"newZ.$": "$.z"},
                "result_path": "$.add-output",
                "timeout_seconds": 60,
                "heartbeat_seconds": 3,
                "end": True,
            }
        },
    }
    done = await run_machine(definition, registry, {"x": 1, "y": 1})
    assert (done.status, done.output) == (Status.SUCCEEDED, {"x": 1, "y": 1, "add-output": {"newZ": 2}})


async def test_bug_4_1_15_an_execution_with_a_name_takes_any_input_and_adds_nothing_to_it(here: Account) -> None:
    machine = await registered(here, ECHO)
    for number, value in enumerate(([1, 2], 3, None, {"x": 1})):
        done = await start_execution(machine, value, name=f"named-{number}", wait=True, account=here)
        assert (done.input, done.output) == (value, value)


async def test_bug_4_1_16_a_failed_execution_has_its_error_and_its_cause(here: Account) -> None:
    machine = await registered(here, fails("Boom", cause="for a reason"))
    done = await start_execution(machine, name="bad", wait=True, account=here)
    for found in (done, await describe_execution(f"{machine.name}:bad", account=here)):
        assert (found.status, found.error, found.cause) == (Status.FAILED, "Boom", "for a reason")
