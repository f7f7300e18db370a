"""`reloaded.start_execution` on the engine."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import anyio
import pytest

from tests.account import ROLE, SESSION
from tests.reloaded.looks import one_task, registered
from workers import Registry, Task, UsageError, Worker, reloaded
from workers.executions.execution import Status
from workers.machines.activities import ensure_activities
from workers.machines.problems import InvalidDefinitionError
from workers.stepfunctions.account import Account


async def add(x: int, y: int) -> int:
    return x + y


def fail() -> None:
    raise ValueError("no luck")


def adder() -> Registry:
    registry = Registry()
    registry.add("add", add)
    registry.add("fail", fail)
    return registry


async def test_a_run_gives_the_execution_and_leaves_nothing(here: Account) -> None:
    execution = await reloaded.start_execution("adder", one_task(), adder(), {"x": 1, "y": 2}, account=here)
    assert (execution.output, execution.status) == (3, Status.SUCCEEDED)
    assert execution.state_machine.rpartition(":")[2].startswith(f"{here.namespace}--adder-dev-")
    assert await registered(here) == []


async def test_a_failure_is_a_result_and_leaves_nothing(here: Account) -> None:
    execution = await reloaded.start_execution("adder", one_task("fail"), adder(), account=here)
    assert (execution.status, execution.error, execution.failed_state) == (Status.FAILED, "ValueError", "Work")
    assert "no luck" in execution.message
    assert await registered(here) == []


async def test_all_activities_of_a_machine_are_fresh_and_only_those(here: Account) -> None:
    registry = adder()
    seen: list[str] = []

    @registry.activity("double")
    async def double(n: int, task: Task) -> int:
        seen.append(task.activity)
        return 2 * n

    inner = one_task("double")
    deeper = one_task(here.activity("double"), state="Deeper")
    literal = {"resource": "double", "Resource": here.activity("double")}
    definition = {
        "start_at": "Both",
        "states": {
            "Both": {
                "type": "parallel",
                "branches": [
                    inner,
                    {
                        "start_at": "Each",
                        "states": {
                            "Each": {
                                "type": "map",
                                "items_path": "$.items",
                                "item_processor": deeper,
                                "end": True,
                            }
                        },
                    },
                    {"start_at": "Data", "states": {"Data": {"type": "pass", "result": literal, "end": True}}},
                ],
                "end": True,
            }
        },
    }
    given = {"n": 1, "items": [{"n": 2}, {"n": 3}]}
    execution = await reloaded.start_execution("all", definition, registry, given, account=here)
    assert execution.output == [2, [4, 6], literal]
    assert seen == ["double"] * 3
    assert await registered(here) == []


async def test_bug_4_1_17_a_missing_handler_is_refused_before_anything_is_registered(here: Account) -> None:
    definition = one_task("subtract", next="More")
    del definition["states"]["Work"]["end"]
    definition["states"]["More"] = {"type": "task", "resource": "add", "end": True}
    with pytest.raises(UsageError, match=r"uses the activities .*--subtract, which have no handler"):
        await reloaded.start_execution("adder", definition, adder(), account=here)
    assert await registered(here) == []


async def test_a_definition_with_problems_is_refused(here: Account) -> None:
    with pytest.raises(InvalidDefinitionError):
        await reloaded.start_execution("adder", {"start_at": "Nowhere", "states": {}}, adder(), account=here)
    assert await registered(here) == []


async def test_bug_4_1_17_a_handler_that_the_definition_does_not_name_gets_no_task(here: Account) -> None:
    called = anyio.Event()
    registry = adder()

    @registry.activity("other")
    async def other() -> None:
        called.set()

    @registry.activity("starts-other")
    async def starts_other() -> None:
        await here.call(
            "CreateStateMachine",
            name=f"{here.namespace}--other",
            definition=json.dumps(
                {"StartAt": "A", "States": {"A": {"Type": "Task", "Resource": here.activity("other"), "End": True}}}
            ),
            roleArn=ROLE,
        )
        await here.call("StartExecution", stateMachineArn=here.state_machine("other"), input="{}")
        with anyio.move_on_after(0.5):
            await called.wait()

    await ensure_activities(["other"], account=here)
    await reloaded.start_execution("starts", one_task("starts-other"), registry, account=here)
    assert not called.is_set()


async def test_a_worker_with_old_code_never_gets_a_task_of_a_run(here: Account) -> None:
    stolen: list[int] = []
    old = Registry()

    @old.activity("add")
    async def old_add(x: int, y: int) -> int:
        stolen.append(x)
        return -1

    async with Worker(old, here.settings.model_copy(update={"initial_pollers": 8}), session=SESSION):
        for x in range(5):
            execution = await reloaded.start_execution("adder", one_task(), adder(), {"x": x, "y": 1}, account=here)
            assert execution.output == x + 1
    assert stolen == []


@asynccontextmanager
async def waiting_run(here: Account, registry: Registry) -> AsyncIterator[tuple[asyncio.Task[Any], Task]]:
    """A run whose handler waits, and the task that it has got."""
    tasks: asyncio.Queue[Task] = asyncio.Queue()

    @registry.activity("wait")
    async def wait(task: Task) -> None:
        tasks.put_nowait(task)
        await anyio.sleep_forever()

    run = asyncio.create_task(reloaded.start_execution("waits", one_task("wait"), registry, account=here))
    yield run, await tasks.get()


async def test_a_run_that_is_cancelled_stops_its_execution_and_leaves_nothing(here: Account) -> None:
    async with waiting_run(here, adder()) as (run, task):
        assert len(await registered(here)) == 2
        run.cancel()
        with pytest.raises(asyncio.CancelledError):
            await run
    assert task.execution
    assert task.cancelled
    found = await here.call("DescribeExecution", executionArn=task.execution)
    assert found["status"] == "ABORTED"
    assert await registered(here) == []


async def test_bug_4_1_17_an_error_while_it_runs_leaves_nothing(here: Account) -> None:
    def watching(_: object) -> None:
        raise RuntimeError("the watcher is broken")

    with pytest.raises(RuntimeError, match="the watcher is broken"):
        await reloaded.start_execution("adder", one_task(), adder(), {"x": 1, "y": 2}, watching=watching, account=here)
    assert await registered(here) == []


async def test_a_worker_that_cannot_start_leaves_nothing(here: Account) -> None:
    @asynccontextmanager
    async def broken() -> AsyncIterator[None]:
        raise ConnectionError("no database")
        yield

    registry = Registry(lifespan=broken)
    registry.include(adder())
    with pytest.raises(ConnectionError, match="no database"):
        await reloaded.start_execution("adder", one_task(), registry, {"x": 1, "y": 2}, account=here)
    assert await registered(here) == []


async def test_a_machine_without_activities_needs_no_handlers(here: Account) -> None:
    definition = {"start_at": "Pass", "states": {"Pass": {"type": "pass", "end": True}}}
    execution = await reloaded.start_execution("passes", definition, Registry(), "as it is", account=here)
    assert execution.output == "as it is"


async def test_bug_4_1_17_names_that_fill_all_characters_can_be_run(here: Account) -> None:
    room = 80 - len(f"{here.namespace}--")
    registry = Registry()
    registry.add("x" * room, add)
    execution = await reloaded.start_execution(
        "m" * room, one_task("x" * room), registry, {"x": 1, "y": 1}, account=here
    )
    assert execution.output == 2
    assert await registered(here) == []


async def test_on_aws_a_role_is_needed(here: Account) -> None:
    here.settings = here.settings.model_copy(update={"local": False})
    with pytest.raises(UsageError, match="needs a role, and there is no adder whose role"):
        await reloaded.start_execution("adder", one_task(), adder(), account=here)


async def test_on_aws_the_role_is_that_of_the_registered_machine(here: Account) -> None:
    from workers.machines.definition import load
    from workers.machines.registration.ensure import ensure_state_machine
    from workers.reloaded.fresh import fresh

    role = "arn:aws:iam::123456789012:role/adder"
    await ensure_state_machine("adder", one_task(), role=role, account=here)
    here.settings = here.settings.model_copy(update={"local": False})
    async with fresh(here, "adder", load(one_task()), ["add"]) as run:
        found = await here.call("DescribeStateMachine", stateMachineArn=run.machine.arn)
    assert found["roleArn"] == role
