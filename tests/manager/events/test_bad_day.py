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
from workers.manager.model import Status, Workflow, now
from workers.manager.requests import NewWorkflowDefinition
from workers.manager.store.interface import Unfinished
from workers.payloads.together import background

MACHINES = 4
STARTS = 50
"""A second; each workflow changes twice, when it begins to run and when it ends."""
SECONDS = 15
BOUND = 5.0
"""Seconds from a change until the store has it, on a machine that keeps pace."""
PACE = 1.0
"""Seconds in which a start is answered on such a machine, from the moment at which it was due."""
WAITS = {"StartAt": "W", "States": {"W": {"Type": "Wait", "Seconds": 8, "End": True}}}


class Lateness:
    """Seconds from a change in Step Functions until the store had it."""

    def __init__(self) -> None:
        self.ends: list[float] = []
        self.starts: list[float] = []
        self.answers: list[float] = []
        """From the moment at which a start was due until it was answered: how the machine keeps pace."""
        self._waiting: dict[str, datetime] = {}

    def ended(self, workflow: Workflow) -> None:
        assert workflow.stopped_at
        self.ends.append((now() - workflow.stopped_at).total_seconds())

    def started(self, workflow: Workflow) -> None:
        self._waiting[workflow.id] = now()

    async def watch(self, manager: LocalManager) -> None:
        """Sees which workflows are known to run, twice a second."""
        while True:
            queued = {one.id for one in await unfinished(manager) if one.status is Status.QUEUED}
            for name in [name for name in self._waiting if name not in queued]:
                self.starts.append((now() - self._waiting.pop(name)).total_seconds())
            await anyio.sleep(0.5)


def part(seconds: list[float], share: float) -> float:
    """Within which time so large a share of all was done."""
    return sorted(seconds)[int(len(seconds) * share)]


def told(name: str, seconds: list[float]) -> str:
    middle, late = part(seconds, 0.5), part(seconds, 0.99)
    return f"{name}: {len(seconds)}, half in {middle:.2f} s, 99 % in {late:.2f} s, all in {max(seconds):.2f} s"


async def unfinished(manager: LocalManager) -> list[Unfinished]:
    """What has not ended, from a database that may have too much to do."""
    while True:
        try:
            return [one async for one in manager.store.unfinished()]
        except UnavailableError:
            await anyio.sleep(0.5)


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
                    while await unfinished(manager):
                        await anyio.sleep(0.2)
    for name in ("answers", "starts", "ends"):
        print(told(name, getattr(late, name)))
    assert len(late.ends) == STARTS * SECONDS + 1
    if (pace := part(late.answers, 0.99)) > PACE:
        pytest.skip(f"the machine is {pace:.1f} s behind, so that nothing can be said of the store: all arrived")
    assert max(part(late.starts, 0.99), part(late.ends, 0.99)) <= BOUND


async def start(manager: LocalManager, names: list[str], late: Lateness) -> None:
    """Starts them at their rate."""

    async def one(number: int, due: float) -> None:
        while True:
            try:
                kept = await manager.start_workflow(names[number % MACHINES], idempotency_key=f"start {number}")
            except UnavailableError:  # a machine that has too much to do
                await anyio.sleep(0.5)
                continue
            late.started(kept)
            late.answers.append(time.monotonic() - due)
            return

    begun = time.monotonic()
    async with anyio.create_task_group() as group:
        for number in range(STARTS * SECONDS):
            due = begun + number / STARTS
            await anyio.sleep(max(0.0, due - time.monotonic()))
            group.start_soon(one, number, due)
