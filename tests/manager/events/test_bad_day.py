"""A hundred changes a second on a bad day of AWS: events lost, doubled, out of order; and how late the store is."""

import time
from datetime import datetime
from pathlib import Path

import anyio
import pytest

from tests.account import ROLE, unique
from tests.manager.store.conftest import database
from tests.processes import Process, workers
from tests.proxy import opened
from workers.manager.errors import UnavailableError
from workers.manager.events.queue import EventQueue
from workers.manager.manager import LocalManager, open_manager
from workers.manager.model import Launch, Status, Workflow, now
from workers.manager.requests import NewWorkflowDefinition
from workers.payloads.together import background

MACHINES = 4
STARTS = 50
"""A second; each workflow changes twice, when it begins to run and when it ends."""
SECONDS = 15
WAITS = {"StartAt": "W", "States": {"W": {"Type": "Wait", "Seconds": 8, "End": True}}}


class Lateness:
    """Seconds from a change in Step Functions until the store had it."""

    def __init__(self) -> None:
        self.ends: list[float] = []
        self.starts: list[float] = []
        self._waiting: dict[str, datetime] = {}

    def ended(self, workflow: Workflow) -> None:
        assert workflow.stopped_at
        self.ends.append((now() - workflow.stopped_at).total_seconds())

    def started(self, workflow: Workflow) -> None:
        self._waiting[workflow.id] = now()

    async def watch(self, manager: LocalManager) -> None:
        """Sees which workflows are known to run, twice a second."""
        while True:
            queued = {one.id async for one in manager.store.unfinished() if one.status is Status.QUEUED}
            for name in [name for name in self._waiting if name not in queued]:
                self.starts.append((now() - self._waiting.pop(name)).total_seconds())
            await anyio.sleep(0.5)


def told(name: str, seconds: list[float]) -> str:
    ordered = sorted(seconds)
    middle, late = ordered[len(ordered) // 2], ordered[int(len(ordered) * 0.99)]
    return (
        f"{name}: {len(ordered)}, half within {middle:.2f} s, 99 % within {late:.2f} s, all within {ordered[-1]:.2f} s"
    )


async def ready(process: Process) -> None:
    await process.says("AWS has a bad day")


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
async def test_the_store_is_seconds_behind(
    kind: str,
    request: pytest.FixtureRequest,
    free_tcp_port: int,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
):
    url = database(request, kind, tmp_path)
    late = Lateness()
    options = ("--port", str(free_tcp_port), "--harsh", "--seed", "7", "--keep", "10000")
    async with workers("local", *options, environment={}) as process:
        await ready(process)
        for name, value in {
            "AWS_ENDPOINT_URL": f"http://127.0.0.1:{free_tcp_port}", "AWS_ACCESS_KEY_ID": "local",
            "AWS_SECRET_ACCESS_KEY": "local", "AWS_DEFAULT_REGION": "us-east-1",
        }.items():  # fmt: skip
            monkeypatch.setenv(name, value)
        async with opened() as account:
            events = EventQueue(unique("events"), create=True)
            async with open_manager(url, account, role=ROLE, events=events, ended=late.ended) as manager:
                names = [unique("wf") for _ in range(MACHINES)]
                for name in names:
                    await manager.create_definition(NewWorkflowDefinition(name=name, state_machine=WAITS))
                await manager.start_workflow(names[0])
                async with background() as group:
                    group.start_soon(late.watch, manager)
                    await start(manager, names, late)
                    while [one async for one in manager.store.unfinished(*Launch)]:
                        await anyio.sleep(0.2)
    print(told("begun", late.starts))
    print(told("ended", late.ends))
    assert len(late.ends) == STARTS * SECONDS + 1


async def start(manager: LocalManager, names: list[str], late: Lateness) -> None:
    """Starts them at their rate."""

    async def one(number: int) -> None:
        while True:
            try:
                kept = await manager.start_workflow(names[number % MACHINES], idempotency_key=f"start {number}")
            except UnavailableError:  # a machine that has too much to do
                await anyio.sleep(0.5)
                continue
            late.started(kept)
            return

    begun = time.monotonic()
    async with anyio.create_task_group() as group:
        for number in range(STARTS * SECONDS):
            await anyio.sleep(max(0.0, begun + number / STARTS - time.monotonic()))
            group.start_soon(one, number)
