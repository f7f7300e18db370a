"""Interceptors in Stepwise's form, and Stepwise's own cases about interceptors."""

from typing import Any

import pytest

from interceptors import Heartbeat, Steps
from interceptors.chain import check_interceptors, compose
from tests.interceptors.tasks import Run, make
from workers.errors import RegistrationError
from workers.task import Task


async def add_one(task: Task) -> dict[str, int]:
    return {"y": task.input["x"] + 1}


async def test_stepwise_case_8_enter_changes_the_input():
    def increment(context: dict[str, Any]) -> dict[str, Any]:
        return {**context, "request": {"x": context["request"]["x"] + 1}}

    assert await compose([Steps("inc", enter=increment)], add_one)(make({"x": 40})) == {"y": 42}


async def test_stepwise_case_9_an_empty_chain_is_the_handler():
    assert await compose([], add_one)(make({"x": 40})) == {"y": 41}
    assert await compose([Steps("nothing")], add_one)(make({"x": 40})) == {"y": 41}


async def test_stepwise_case_10_a_step_can_send_heartbeats():
    run = Run()

    def beat(context: dict[str, Any]) -> dict[str, Any]:
        context["send_heartbeat"]()
        return context

    await compose([Steps("beat", enter=beat)], add_one)(make({"x": 1}, run=run))
    assert run.beats == 1


@pytest.mark.parametrize("interceptor", [Heartbeat(1), Steps("x"), Steps("y", enter=lambda context: context)])
def test_stepwise_case_16_the_interceptors_are_well_formed(interceptor: Any):
    assert check_interceptors([interceptor], "here") == (interceptor,)


async def test_steps_enter_in_order_and_leave_in_reverse():
    notes: list[str] = []

    def step(name: str, stage: str) -> Any:
        async def note(context: dict[str, Any]) -> dict[str, Any]:
            notes.append(f"{name} {stage}")
            return context

        return note

    chain = [Steps(name, enter=step(name, "enter"), leave=step(name, "leave")) for name in "ab"]
    await compose(chain, add_one)(make({"x": 1}))
    assert notes == ["a enter", "b enter", "b leave", "a leave"]


async def test_leave_changes_the_result():
    double = Steps("double", leave=lambda context: {**context, "response": {"y": context["response"]["y"] * 2}})
    assert await compose([double], add_one)(make({"x": 1})) == {"y": 4}


async def test_an_error_goes_outwards_until_a_step_clears_it():
    notes: list[str] = []

    def look(context: dict[str, Any]) -> dict[str, Any]:
        notes.append(type(context["error"]).__name__)
        return context

    def clear(context: dict[str, Any]) -> dict[str, Any]:
        del context["error"]
        return {**context, "response": "cleared"}

    def never(context: dict[str, Any]) -> dict[str, Any]:
        raise AssertionError("leave does not run where there is an error")

    def leave(context: dict[str, Any]) -> dict[str, Any]:
        return {**context, "response": context["response"] + "!"}

    chain = [Steps("outer", leave=leave), Steps("clears", error=clear), Steps("looks", leave=never, error=look)]
    assert await compose(chain, add_one)(make({})) == "cleared!"
    assert notes == ["KeyError"]


async def test_an_error_that_nobody_clears_is_raised_as_it_was():
    error = LookupError("no")

    async def handler(task: Task) -> None:
        raise error from ValueError("cause")

    with pytest.raises(LookupError) as raised:
        await compose([Steps("a"), Steps("b", error=lambda context: context)], handler)(make())
    assert raised.value is error
    assert isinstance(raised.value.__cause__, ValueError)


async def test_an_error_may_be_replaced():
    def replace(context: dict[str, Any]) -> dict[str, Any]:
        return {**context, "error": RuntimeError("clearer")}

    with pytest.raises(RuntimeError, match="clearer") as raised:
        await compose([Steps("a", error=replace)], add_one)(make({}))
    assert isinstance(raised.value.__cause__, KeyError)


async def test_a_step_that_raises_is_an_error():
    def broken(context: dict[str, Any]) -> dict[str, Any]:
        raise RuntimeError("step")

    seen: list[str] = []

    def look(context: dict[str, Any]) -> dict[str, Any]:
        seen.append(str(context["error"]))
        return context

    with pytest.raises(RuntimeError, match="step"):
        await compose([Steps("outer", error=look), Steps("broken", enter=broken, error=look)], add_one)(make())
    with pytest.raises(RuntimeError, match="step"):
        await compose([Steps("outer", error=look), Steps("broken", leave=broken)], add_one)(make({"x": 1}))
    assert seen == ["step", "step", "step"]


@pytest.mark.parametrize(
    ("steps", "said"),
    [
        ({"enter": lambda context: None}, r"Steps\('s'\): enter returned NoneType, it must return the context"),
        ({"enter": lambda context: {}}, "enter returned a context without 'request'"),
        ({"leave": lambda context: {}}, "leave returned a context without 'response'"),
        ({"error": lambda context: 3, "enter": lambda context: 1 / 0}, "error returned int"),
    ],
)
async def test_a_step_must_return_the_context(steps: dict[str, Any], said: str):
    with pytest.raises(TypeError, match=said):
        await compose([Steps("s", **steps)], add_one)(make({"x": 1}))


@pytest.mark.parametrize("stage", ["enter", "leave", "error"])
def test_a_step_that_is_no_function_is_refused_with_its_name_also_error(stage: str):
    with pytest.raises(RegistrationError, match=f"Steps 'count': {stage} is 3, it must be a function"):
        Steps("count", **{stage: 3})
