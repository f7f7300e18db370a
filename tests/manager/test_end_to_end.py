"""Service, engine and worker as they run for users, and the service killed in the middle of two hundred workflows."""

import re
import signal
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
import pytest

from tests.account import ROLE
from tests.processes import Process, workers
from tests.proxy import opened
from workers.local import LocalStepFunctions
from workers.manager.client import Client
from workers.manager.errors import UnavailableError
from workers.manager.model import Query, Status, WorkflowSummary
from workers.manager.requests import NewWorkflowDefinition

STEP = {"Type": "Task", "Resource": "manager-step", "TimeoutSeconds": 120, "HeartbeatSeconds": 60}
AGAIN = [{"ErrorEquals": ["Worker.ShuttingDown", "States.Timeout"], "MaxAttempts": 5}]
MACHINES: dict[str, Any] = {
    "one": {"StartAt": "A", "States": {"A": {**STEP, "Retry": AGAIN, "End": True}}},
    "two": {
        "StartAt": "A",
        "States": {"A": {**STEP, "Retry": AGAIN, "Next": "B"}, "B": {**STEP, "Retry": AGAIN, "End": True}},
    },
    "choosy": {
        "StartAt": "A",
        "States": {
            "A": {**STEP, "Retry": AGAIN, "Next": "Choose"},
            "Choose": {**STEP, "Resource": "manager-choosy", "Next": "B"},
            "B": {**STEP, "Retry": AGAIN, "End": True},
        },
    },
    "waits": {"StartAt": "W", "States": {"W": {"Type": "Wait", "Seconds": 3_600, "End": True}}},
}
WORKFLOWS = 200
KILLED_AFTER = 80
PATIENCE = 150.0


@asynccontextmanager
async def service(port: int, database: Path, environment: dict[str, str]) -> AsyncIterator[Process]:
    """`workers serve` on that port; ready when it answers."""
    options = ("--port", str(port), "--database", f"sqlite:///{database}", "--role", ROLE, "--log-format", "json")
    async with workers("serve", *options, environment=environment) as process:
        with anyio.fail_after(60):
            while not await healthy(port):
                await anyio.sleep(0.1)
        yield process


async def healthy(port: int) -> bool:
    try:
        stream = await anyio.connect_tcp("127.0.0.1", port)
    except OSError:
        return False
    await stream.aclose()
    return True


async def insisting(call: Any, *arguments: Any, **options: Any) -> Any:
    """What a careful caller does while the service is away."""
    with anyio.fail_after(PATIENCE):
        while True:
            try:
                return await call(*arguments, **options)
            except UnavailableError:
                await anyio.sleep(0.2)


@pytest.mark.slow
@pytest.mark.timeout(600)
async def test_two_hundred_workflows_survive_the_death_of_the_service(tmp_path: Path, free_tcp_port: int):
    port, database = free_tcp_port, tmp_path / "manager.sqlite"
    async with LocalStepFunctions(harsh=True, keep=10_000) as engine:
        environment = engine.environment()
        async with (
            workers("run", "tests.manager.handlers:registry", "--log-format", "json", environment=environment),
            Client(f"http://127.0.0.1:{port}") as manager,
        ):
            async with service(port, database, environment) as first:
                for name, machine in MACHINES.items():
                    await manager.create_definition(NewWorkflowDefinition(name=name, state_machine=machine))
                started = await start_all(manager, first, port, database, environment)
            assert len(set(started)) == WORKFLOWS
            async with service(port, database, environment):
                await cancel(manager, [started[n] for n in range(WORKFLOWS) if kind(n) == "waits"])
                resumed = await resume(manager, [started[n] for n in range(WORKFLOWS) if fails(n)])
                found = await all_ended(manager, len(started) + len(resumed))
        await compare(engine, found, set(resumed))


def kind(number: int) -> str:
    return list(MACHINES)[number % 4]


def fails(number: int) -> bool:
    return kind(number) == "choosy" and number % 3 == 0


async def start_all(
    manager: Client, first: Process, port: int, database: Path, environment: dict[str, str]
) -> list[str]:
    """Starts all of them, ten at a time; the first service dies meanwhile, and a second one takes its place."""
    started = [""] * WORKFLOWS
    numbers = iter(range(WORKFLOWS))
    done = anyio.Event()

    async def starter() -> None:
        for number in numbers:
            given = {"n": number, "fail": fails(number)}
            kept = await insisting(manager.start_workflow, kind(number), given, idempotency_key=f"start {number}")
            started[number] = kept.id
            if number == KILLED_AFTER:
                first.send(signal.SIGKILL)
                await first.ends()

    async def starters() -> None:
        async with anyio.create_task_group() as group:
            for _ in range(10):
                group.start_soon(starter)
        done.set()

    async with anyio.create_task_group() as group:
        group.start_soon(starters)
        await first.ends(within=PATIENCE)
        async with service(port, database, environment):
            await done.wait()
    return started


async def cancel(manager: Client, ids: list[str]) -> None:
    for workflow_id in ids:
        await insisting(manager.cancel_workflow, workflow_id, "enough")


async def resume(manager: Client, ids: list[str]) -> list[str]:
    """Resumes what failed from its first state, as soon as it has failed; it fails again."""
    resumed = []
    for workflow_id in ids:
        with anyio.fail_after(PATIENCE):
            while not (await insisting(manager.workflow, workflow_id)).status.terminal:
                await anyio.sleep(0.2)
        found = await insisting(manager.workflow, workflow_id)
        assert found.status is Status.FAILED
        assert found.last_job.state == "Choose"
        resumed.append((await insisting(manager.resume_workflow, workflow_id, "A")).id)
    return resumed


async def all_ended(manager: Client, number: int) -> list[WorkflowSummary]:
    with anyio.fail_after(PATIENCE):
        while True:
            found = [one async for one in manager.all_workflows(Query(limit=100))]
            assert len(found) == number
            if all(one.status.terminal for one in found):
                return found
            await anyio.sleep(0.5)


STATUSES = {"SUCCEEDED": Status.SUCCEEDED, "FAILED": Status.FAILED, "ABORTED": Status.CANCELLED}


async def compare(engine: LocalStepFunctions, found: list[WorkflowSummary], resumed: set[str]) -> None:
    """Whether Step Functions says the same of each, and knows of no other."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in engine.environment().items():
            patch.setenv(name, value)
        async with opened() as account:
            machines = {re.sub(":execution:(.*):.*", r":stateMachine:\1", str(one.execution_arn)) for one in found}
            executions = [
                item
                for machine in machines
                async for item in account.items("ListExecutions", "executions", stateMachineArn=machine)
            ]
    assert Counter(item["name"] for item in executions) == Counter(one.id for one in found)
    said = {item["name"]: STATUSES[item["status"]] for item in executions}
    assert {one.id: one.status for one in found} == said
    assert {one.id for one in found if one.retry_for} == resumed
    assert Counter(said.values())[Status.CANCELLED] == WORKFLOWS // 4
