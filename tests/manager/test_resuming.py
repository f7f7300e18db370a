"""Workflows that go on where others ended, and redrives."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import anyio
import pytest

from tests.account import unique
from tests.manager.conftest import BREAKS, CHAIN, activities, defined, ended, until
from tests.proxy import Proxy, answered, refused
from workers import ActivityError, Registry, Worker
from workers.manager.errors import ConflictError, IdempotencyError, InvalidError, UnavailableError
from workers.manager.manager import LocalManager
from workers.manager.model import Change, Query, Status, Workflow
from workers.settings import Settings
from workers.stepfunctions.account import Account


class Commands:
    """Workers of the activities `one` and `two`; `two` fails as long as it is `broken`."""

    def __init__(self) -> None:
        self.broken = True
        self.calls: list[tuple[str, Any]] = []
        self.namespace = unique("ns")

    @asynccontextmanager
    async def at_work(self) -> AsyncIterator[None]:
        registry = Registry()

        @registry.activity("one")
        async def one(event: Any, /) -> Any:
            self.calls.append(("one", event))
            return event | {"one": len(self.calls)}

        @registry.activity("two")
        async def two(event: Any, /) -> Any:
            self.calls.append(("two", event))
            if self.broken:
                raise ActivityError("Broken")
            return {"done": event["one"]}

        async with Worker(registry, Settings(namespace=self.namespace)):
            yield


@pytest.fixture
async def commands(here: Account) -> Commands:
    found = Commands()
    await activities(here, f"{found.namespace}--one", f"{found.namespace}--two")
    return found


async def failed_chain(manager: LocalManager, commands: Commands, machine: Any = CHAIN) -> Workflow:
    """A workflow that failed in `two`."""
    kept = await defined(manager, machine)
    started = await manager.start_workflow(
        kept.name, {"n": 1}, namespace=commands.namespace, queue="slow", tags={"who": "me"}
    )
    failed = await ended(manager, started)
    assert failed.status is Status.FAILED
    return failed


async def test_31_a_workflow_that_failed_goes_on_in_another_execution(manager: LocalManager, commands: Commands):
    async with commands.at_work():
        failed = await failed_chain(manager, commands)
        commands.broken = False
        resumed = await manager.resume_workflow(failed.id, "two")
        done = await ended(manager, resumed, history=True)
    assert (done.status, done.output) == (Status.SUCCEEDED, '{"done":1}')
    assert done.jobs
    assert [job.state for job in done.jobs] == ["two"]
    assert resumed.execution_arn != failed.execution_arn
    assert str(resumed.execution_arn).split(":")[6].endswith("--0--two")
    assert (resumed.retry_for, resumed.queue, resumed.tags) == (failed.id, "slow", {"who": "me"})
    assert (await manager.workflow(failed.id)).retries == (resumed.id,)
    assert [name for name, _ in commands.calls] == ["one", "two", "two"]
    (first, second) = [event for name, event in commands.calls if name == "two"]
    assert first == second | {"_EXECUTION_NAME": failed.id}
    assert second["_EXECUTION_NAME"] == resumed.id


async def test_31_an_active_workflow_cannot_be_resumed(manager: LocalManager, commands: Commands):
    kept = await defined(manager, CHAIN)
    started = await manager.start_workflow(kept.name, namespace=commands.namespace)
    await until(manager, started, "running")
    with pytest.raises(ConflictError, match=f"Workflow {started.id} active: running"):
        await manager.resume_workflow(started.id, "one")


async def test_35_a_workflow_with_an_active_retry_cannot_be_resumed(manager: LocalManager, commands: Commands):
    async with commands.at_work():
        failed = await failed_chain(manager, commands)
        again = await ended(manager, await manager.resume_workflow(failed.id, "two"))
    third = await manager.resume_workflow(again.id, "two")  # nobody works on it
    for one in (failed, again):
        with pytest.raises(ConflictError, match=f"{one.id} because it has active descendants"):
            await manager.resume_workflow(one.id, "two")
    await manager.cancel_workflow(third.id, "enough")
    await ended(manager, third)
    assert (await manager.resume_workflow(failed.id, "two")).retry_for == failed.id


async def test_35_a_retry_that_has_ended_unseen_is_no_active_one(manager: LocalManager, commands: Commands):
    async with commands.at_work():
        failed = await failed_chain(manager, commands)
    first = await manager.resume_workflow(failed.id, "two")
    await manager.account.call("StopExecution", executionArn=first.execution_arn)
    assert (await manager.resume_workflow(failed.id, "two")).retry_for == failed.id


async def test_35_only_one_of_many_who_resume_at_once_does(manager: LocalManager, commands: Commands):
    async with commands.at_work():
        failed = await failed_chain(manager, commands)
    results: list[str] = []

    async def resume() -> None:
        try:
            results.append((await manager.resume_workflow(failed.id, "two")).id)
        except ConflictError:
            results.append("refused")

    async with anyio.create_task_group() as group:
        for _ in range(6):
            group.start_soon(resume)
    assert results.count("refused") == 5


async def test_35_the_same_request_with_the_same_key_resumes_once(manager: LocalManager, commands: Commands):
    async with commands.at_work():
        failed = await failed_chain(manager, commands)
    found: list[str] = []

    async def resume() -> None:
        found.append((await manager.resume_workflow(failed.id, "two", idempotency_key="k")).id)

    async with anyio.create_task_group() as group:
        for _ in range(4):
            group.start_soon(resume)
    await resume()  # though one that resumed it is active
    assert len(set(found)) == 1
    assert (await manager.workflow(failed.id)).retries == (found[0],)
    with pytest.raises(IdempotencyError):
        await manager.resume_workflow(failed.id, "one", idempotency_key="k")


@pytest.mark.parametrize(("state", "says"), [("nowhere", "Invalid StartAt state nowhere"), ("three", "No job found")])
async def test_35_a_state_that_is_not_there_or_was_never_entered(
    manager: LocalManager, commands: Commands, state: str, says: str
):
    states = CHAIN["States"] | {"two": CHAIN["States"]["two"] | {"Next": "three"}, "three": {"Type": "Succeed"}}
    states["two"].pop("End")
    async with commands.at_work():
        failed = await failed_chain(manager, commands, CHAIN | {"States": states})
    with pytest.raises(InvalidError, match=says):
        await manager.resume_workflow(failed.id, state)


async def test_35_a_resumed_workflow_goes_on_at_a_state_before_its_own_first(manager: LocalManager, commands: Commands):
    async with commands.at_work():
        failed = await failed_chain(manager, commands)
        again = await ended(manager, await manager.resume_workflow(failed.id, "two"))
        commands.broken = False
        third = await ended(manager, await manager.resume_workflow(again.id, "one"))
    assert third.status is Status.SUCCEEDED
    assert third.start_at is None
    assert [name for name, _ in commands.calls] == ["one", "two", "two", "one", "two"]
    assert (await manager.workflow(again.id)).retries == (third.id,)


async def test_35_of_a_loop_the_last_time_counts(manager: LocalManager):
    machine = {
        "StartAt": "count",
        "States": {
            "count": {"Type": "Pass", "Parameters": {"n.$": "States.MathAdd($.n, 1)"}, "Next": "enough"},
            "enough": {
                "Type": "Choice",
                "Choices": [{"Variable": "$.n", "NumericLessThan": 3, "Next": "count"}],
                "Default": "break",
            },
            "break": {"Type": "Fail", "Error": "Broken"},
        },
    }
    kept = await defined(manager, machine)
    failed = await ended(manager, await manager.start_workflow(kept.name, {"n": 0}))
    resumed = await manager.resume_workflow(failed.id, "enough")
    assert json.loads(resumed.input) == {"n": 3}
    await ended(manager, resumed)
    again = await manager.resume_workflow(failed.id, "count")  # not where it failed: read from the history
    assert json.loads(again.input) == {"n": 2}


async def test_35_of_a_loop_the_last_time_counts_though_its_history_is_gone(watched: tuple[LocalManager, Proxy]):
    manager, proxy = watched
    machine = {
        "StartAt": "first",
        "States": {
            "first": {"Type": "Choice", "Choices": [{"Variable": "$.n", "IsNumeric": True, "Next": "count"}]},
            "count": {"Type": "Pass", "Parameters": {"n.$": "States.MathAdd($.n, 1)"}, "Next": "enough"},
            "enough": {
                "Type": "Choice",
                "Choices": [{"Variable": "$.n", "NumericLessThan": 3, "Next": "first"}],
                "Default": "break",
            },
            "break": {"Type": "Fail", "Error": "Broken"},
        },
    }
    kept = await defined(manager, machine)
    failed = await ended(manager, await manager.start_workflow(kept.name, {"n": 0}), history=True)
    assert failed.jobs
    proxy.answers["GetExecutionHistory"] = [refused("ExecutionDoesNotExist")]
    assert json.loads((await manager.resume_workflow(failed.id, "first")).input) == {"n": 2}


async def test_35_what_step_functions_refuses_blocks_no_later_resume(watched: tuple[LocalManager, Proxy]):
    manager, proxy = watched
    kept = await defined(manager, BREAKS)
    failed = await ended(manager, await manager.start_workflow(kept.name))
    proxy.answers["StartExecution"] = [refused("InvalidExecutionInput")]
    with pytest.raises(InvalidError):
        await manager.resume_workflow(failed.id, "look")
    assert (await manager.workflow(failed.id)).retries == ()
    assert (await manager.resume_workflow(failed.id, "look")).retry_for == failed.id


async def test_35_an_input_that_is_no_object_is_passed_on_as_it_was(manager: LocalManager):
    machine = {
        "StartAt": "list",
        "States": {
            "list": {"Type": "Pass", "Result": [1, 2], "Next": "break"},
            "break": {"Type": "Choice", "Choices": [{"Variable": "$.x", "IsNull": True, "Next": "end"}]},
            "end": {"Type": "Succeed"},
        },
    }
    kept = await defined(manager, machine)
    failed = await ended(manager, await manager.start_workflow(kept.name))
    resumed = await manager.resume_workflow(failed.id, "break")
    assert json.loads(resumed.input) == [1, 2]


async def test_a_redrive_reopens_a_workflow_that_failed(watched: tuple[LocalManager, Proxy]):
    manager, proxy = watched
    kept = await defined(manager, BREAKS)
    failed = await ended(manager, await manager.start_workflow(kept.name))
    proxy.answers["RedriveExecution"] = [answered(redriveDate=1.0)]
    redriven = await manager.redrive_workflow(failed.id)
    assert (redriven.status, redriven.redrive_count, redriven.resolved_by_user) == (Status.RUNNING, 1, False)
    assert (redriven.status_reason, redriven.stopped_at, redriven.last_job) == (None, None, None)
    (call,) = proxy.called("RedriveExecution")
    assert call["clientToken"] == f"{failed.id}-1"


async def test_a_redrive_goes_on_in_the_state_that_failed(manager: LocalManager, commands: Commands):
    async with commands.at_work():
        failed = await failed_chain(manager, commands)
        commands.broken = False
        redriven = await manager.redrive_workflow(failed.id)
        assert redriven.id == failed.id
        done = await ended(manager, redriven, history=True)
    assert (done.status, done.redrive_count, done.output) == (Status.SUCCEEDED, 1, '{"done":1}')
    assert [name for name, _ in commands.calls] == ["one", "two", "two"]
    assert done.jobs
    assert [(job.state, len(job.attempts)) for job in done.jobs] == [("one", 0), ("two", 1)]


async def test_a_redrive_that_has_ended_already_is_told_as_it_is(watched: tuple[LocalManager, Proxy]):
    manager, proxy = watched
    kept = await defined(manager, BREAKS)
    failed = await ended(manager, await manager.start_workflow(kept.name))

    def redriven(_: Any) -> Any:
        """It fails again, and another service writes that down, before this one hears the answer."""
        change = Change(status=Status.FAILED, redrive_count=1, status_reason="again")
        writes.append(asyncio.get_running_loop().create_task(manager.store.update_workflow(failed.id, change)))
        return answered(redriveDate=1.0)

    writes: list[asyncio.Task[Workflow]] = []
    proxy.answers["RedriveExecution"] = [redriven]
    found = await manager.redrive_workflow(failed.id)
    assert (found.status, found.redrive_count, found.status_reason) == (Status.FAILED, 1, "again")


async def test_what_cannot_be_redriven_stays_as_it_is(watched: tuple[LocalManager, Proxy]):
    manager, proxy = watched
    kept = await defined(manager, BREAKS)
    done = await ended(manager, await manager.start_workflow(kept.name, {"fine": 1}))
    with pytest.raises(ConflictError, match="is succeeded: only what failed or was cancelled"):
        await manager.redrive_workflow(done.id)
    failed = await ended(manager, await manager.start_workflow(kept.name))
    proxy.answers["RedriveExecution"] = [refused("ExecutionNotRedrivable", "too old")]
    with pytest.raises(ConflictError, match=r"cannot be redriven: .*too old"):
        await manager.redrive_workflow(failed.id)
    assert (await manager.workflow(failed.id)).status is Status.FAILED


@pytest.mark.usefixtures("hasty")
async def test_a_refresh_says_when_step_functions_does_not_answer(watched: tuple[LocalManager, Proxy]):
    manager, proxy = watched
    kept = await defined(manager, BREAKS)
    failed = await ended(manager, await manager.start_workflow(kept.name))
    proxy.answers["DescribeExecution"] = [refused("InternalFailure", status=500) for _ in range(10)]
    with pytest.raises(UnavailableError):
        await manager.refresh_workflow(failed.id)
    proxy.answers["DescribeExecution"].clear()
    assert (await manager.refresh_workflow(failed.id)).jobs
    assert [one.id for one in (await manager.workflows(Query())).items] == [failed.id]
