"""Tasks of real executions, once more."""

from pathlib import Path
from typing import Any

import pytest

from interceptors import Payload
from tests.account import SESSION, unique
from tests.reloaded.looks import one_task
from workers import Registry, Task, UsageError, Worker
from workers.executions.execution import Execution
from workers.executions.start import start_execution
from workers.machines.definition import load
from workers.machines.registration.ensure import ensure_state_machine
from workers.offline.replay import handler_of, replay
from workers.reloaded.fresh import fresh
from workers.settings import Settings
from workers.stepfunctions.account import Account, open_account


async def executed(here: Account, definition: dict[str, Any], registry: Registry, given: Any) -> Execution:
    """An execution of a machine that is registered and worked for as in production."""
    machine = await ensure_state_machine("machine", definition, account=here)
    async with Worker(registry, here.settings, session=SESSION):
        return await start_execution(machine, given, wait=True, account=here)


def broken() -> Registry:
    """The code in production."""
    registry = Registry()

    @registry.activity("divide")
    async def divide(x: int, y: int) -> float:
        return x / y

    @registry.activity("check")
    async def check(n: int) -> int:
        if n < 0:
            raise ValueError(f"{n} is negative")
        return n

    return registry


def repaired() -> Registry:
    """The code on the laptop."""
    registry = Registry()

    @registry.activity("divide")
    async def divide(x: int, y: int, task: Task) -> Any:
        return [x / y if y else None, task.state, task.attempt, task.execution]

    @registry.activity("check")
    def check(n: int) -> int:
        return abs(n)

    return registry


async def test_the_failed_state_is_run_on_its_very_input(here: Account) -> None:
    once = {"error_equals": "ZeroDivisionError", "max_attempts": 1, "interval_seconds": 1}
    definition = one_task("divide", parameters={"x.$": "$.top", "y": 0}, retry=[once])
    execution = await executed(here, definition, broken(), {"top": 6})
    assert execution.error == "ZeroDivisionError"
    found = await replay(execution.arn, repaired(), account=here)
    assert (found.recorded.state, found.recorded.error, found.handler) == ("Work", "ZeroDivisionError", "divide")
    assert await found.run() == [None, "Work", 2, execution.arn]
    history = await here.call("DescribeExecution", executionArn=execution.arn)
    assert history["status"] == "FAILED"


async def test_a_handler_that_still_fails_raises(here: Account) -> None:
    execution = await executed(here, one_task("divide"), broken(), {"x": 1, "y": 0})
    found = await replay(f"machine:{execution.name}", broken(), account=here)
    with pytest.raises(ZeroDivisionError):
        await found.run()


def checks() -> dict[str, Any]:
    each = one_task("check", state="Check")
    each["states"]["Check"]["catch"] = [{"error_equals": "TypeError", "next": "Never"}]
    each["states"]["Never"] = {"type": "succeed"}
    return {
        "start_at": "First",
        "states": {
            "First": {"type": "task", "resource": "check", "result_path": "$.first", "next": "Each"},
            "Each": {"type": "map", "items_path": "$.items", "max_concurrency": 1, "item_processor": each, "end": True},
        },
    }


async def test_of_a_map_the_iteration_that_failed_is_taken(here: Account) -> None:
    given = {"n": 1, "items": [{"n": 2}, {"n": -3}, {"n": 4}]}
    execution = await executed(here, checks(), broken(), given)
    found = await replay(execution.arn, repaired(), account=here)
    assert found.recorded.state == "Check"
    assert await found.run() == 3


async def test_a_state_can_be_named_that_did_not_fail(here: Account) -> None:
    execution = await executed(here, checks(), broken(), {"n": 1, "items": [{"n": -3}]})
    found = await replay(execution.arn, repaired(), state="First", account=here)
    assert found.recorded.error is None
    assert await found.run() == 1


async def test_what_cannot_be_replayed_is_said(here: Account) -> None:
    execution = await executed(here, checks(), broken(), {"n": 1, "items": [{"n": 2}]})
    with pytest.raises(UsageError, match=r"no activity failed .*: name a state: activities ran in First, Check"):
        await replay(execution.arn, repaired(), account=here)
    with pytest.raises(UsageError, match="no activity ran in state Each of this execution: activities ran in First"):
        await replay(execution.arn, repaired(), state="Each", account=here)
    other = Registry()
    other.add("other", lambda: None)
    with pytest.raises(UsageError, match=r"no handler is registered for activity .*check; registered: other"):
        await replay(execution.arn, other, state="First", account=here)


async def test_claims_in_the_input_are_loaded_by_the_interceptors(here: Account, tmp_path: Path) -> None:
    def measured(fail: bool) -> Registry:
        registry = Registry(interceptors=[Payload(tmp_path.as_uri())])

        @registry.activity("measure")
        async def measure(text: str) -> int:
            if fail:
                raise ValueError("not today")
            return len(text)

        return registry

    machine = await ensure_state_machine("machine", one_task("measure"), account=here)
    async with Worker(measured(fail=True), here.settings, session=SESSION):
        execution = await start_execution(
            machine, {"text": "x" * 300_000}, payloads=tmp_path.as_uri(), wait=True, account=here
        )
    assert execution.error == "ValueError"
    found = await replay(execution.arn, measured(fail=False), account=here)
    assert await found.run() == 300_000


async def test_handlers_are_found_in_other_namespaces_and_for_single_runs(here: Account) -> None:
    registry = broken()
    settings = Settings(local=True, local_port=here.settings.local_port)
    async with open_account(settings, session=SESSION) as plain:
        assert handler_of(registry, plain.activity("prod--check"), plain) == "check"
        assert handler_of(registry, plain.activity("check"), plain) == "check"
        async with fresh(plain, unique("m"), load(one_task("divide")), ["divide"]) as run:
            assert handler_of(registry, run.arns["divide"], plain) == "divide"
    async with fresh(here, "m", load(one_task("divide")), ["divide"]) as run:
        assert handler_of(registry, run.arns["divide"], here) == "divide"
