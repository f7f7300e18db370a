"""Tasks that Step Functions has closed: their handlers are told, whatever kind they are of."""

import os
import threading
import time
from contextlib import suppress
from pathlib import Path

import anyio
import pytest
from structlog.testing import capture_logs

from tests.account import Account, task, unique
from tests.supervisor.far import add_up, sleep_long
from tests.supervisor.test_worker import working
from workers import Registry, Task
from workers.task import CancelReason


async def test_a_closed_task_cancels_its_handler(account: Account) -> None:
    registry, names = Registry(), [unique("asleep"), unique("thread")]
    reasons: dict[str, CancelReason | None] = {}
    running = {name: threading.Event() for name in names}
    ended = {name: threading.Event() for name in names}

    @registry.activity(names[0], heartbeat=0.2)
    async def asleep(task: Task) -> None:
        running[names[0]].set()
        try:
            await anyio.sleep_forever()
        finally:
            reasons[names[0]] = task.cancel_reason
            ended[names[0]].set()

    @registry.activity(names[1], heartbeat=0.2)
    def thread(task: Task) -> None:
        running[names[1]].set()
        try:
            while True:
                time.sleep(0.01)
                task.check()
        finally:
            reasons[names[1]] = task.cancel_reason
            ended[names[1]].set()

    async with working(registry):
        for name in names:
            execution = await account.start(task(name), {})
            await anyio.to_thread.run_sync(running[name].wait, 10)
            await account.client.stop_execution(executionArn=execution)
            await anyio.to_thread.run_sync(ended[name].wait, 10)
    assert reasons == dict.fromkeys(names, CancelReason.TASK_CLOSED)


@pytest.mark.slow
async def test_a_closed_task_ends_the_process_of_its_handler_and_the_next_task_gets_another(
    account: Account, tmp_path: Path
) -> None:
    registry, names, file = Registry(), [unique("asleep"), unique("add-up")], tmp_path / "pid"
    registry.add(names[0], sleep_long, process=True, heartbeat=0.2, concurrency=1)
    registry.add(names[1], add_up, process=True)
    with capture_logs() as lines:
        async with working(registry) as worker:
            execution = await account.start(task(names[0]), {"file": str(file)})
            with anyio.fail_after(30):
                while not file.exists():
                    await anyio.sleep(0.02)
                await account.client.stop_execution(executionArn=execution)
                while worker.status().running:
                    await anyio.sleep(0.02)
            with anyio.fail_after(30), suppress(ProcessLookupError):
                while True:  # until the thread that watches over the process has reaped it
                    os.kill(int(file.read_text()), 0)
                    await anyio.sleep(0.01)
            assert await account.output(task(names[1]), {"numbers": [1, 2]}) == 3
    (closed,) = [line for line in lines if line["event"] == "task closed"]
    assert (closed["activity"], closed["fate"]) == (names[0], "closed")
