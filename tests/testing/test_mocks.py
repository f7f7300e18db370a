"""States that are played."""

from typing import Any

import pytest

from tests.reloaded.looks import one_task
from tests.testing.test_machine import adder
from workers import ActivityError, UsageError
from workers.testing import in_turn, run_machine

LAMBDA = {
    "start_at": "Charge",
    "states": {
        "Charge": {
            "type": "task",
            "resource": "arn:aws:states:::lambda:invoke.waitForTaskToken",
            "parameters": {"FunctionName": "charge", "Payload": {"token.$": "$$.Task.Token", "card.$": "$.card"}},
            "retry": [{"error_equals": "Busy", "max_attempts": 2}],
            "catch": [{"error_equals": "Declined", "next": "Sorry"}],
            "next": "Add",
        },
        "Add": {"type": "task", "resource": "add", "end": True},
        "Sorry": {"type": "pass", "result": "sorry", "end": True},
    },
}


async def test_a_result_stands_for_the_task() -> None:
    run = await run_machine(LAMBDA, adder(), {"card": "1"}, mocks={"Charge": {"x": 1, "y": 2}})
    assert run.output == 3


async def test_an_error_is_caught_and_retried_as_written() -> None:
    run = await run_machine(LAMBDA, adder(), {"card": "1"}, mocks={"Charge": ActivityError("Declined")})
    assert run.output == "sorry"
    busy = in_turn(ActivityError("Busy"), ActivityError("Busy"), {"x": 3, "y": 4})
    run = await run_machine(LAMBDA, adder(), {"card": "1"}, mocks={"Charge": busy})
    assert (run.output, run.attempts("Charge")) == (7, 3)


async def test_a_function_sees_the_input_of_the_state() -> None:
    seen: list[Any] = []

    def charge(given: Any) -> Any:
        seen.append(given)
        return {"x": 1, "y": 1}

    await run_machine(LAMBDA, adder(), {"card": "1"}, mocks={"Charge": charge})
    assert seen == [{"FunctionName": "charge", "Payload": {"token": "mock-task-token", "card": "1"}}]


async def test_an_activity_that_is_mocked_needs_no_handler() -> None:
    async def answer(given: Any) -> Any:
        return [given]

    assert (await run_machine(one_task(), input={"a": 1}, mocks={"Work": answer})).output == [{"a": 1}]


async def test_states_inside_of_others_can_be_mocked() -> None:
    each = one_task("nobody", state="Each")
    definition = {"start_at": "All", "states": {"All": {"type": "map", "item_processor": each, "end": True}}}
    run = await run_machine(definition, input=[1, 2], mocks={"Each": lambda given: given * 10})
    assert run.output == [10, 20]


async def test_only_tasks_that_there_are_can_be_mocked() -> None:
    with pytest.raises(UsageError, match="there is no Task state 'Sorry' to mock; there are Charge, Add"):
        await run_machine(LAMBDA, adder(), mocks={"Sorry": 1})
