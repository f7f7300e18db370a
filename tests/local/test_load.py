"""Many clients at once: nothing fails, nothing is lost, nothing comes twice."""

import asyncio
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from aiobotocore.config import AioConfig

from tests.account import SESSION, Account
from tests.local.helpers import WAIT, Activity, connect, create_machine
from tests.processes import WORKERS
from workers.local import LocalStepFunctions

EXECUTIONS = 200
POLLS = 64


WAITING = 10_000
MEGABYTES = 200
"""That the engine may need for them."""


async def test_200_executions_and_64_polls_together():
    async with LocalStepFunctions() as local, connect(local, pool=POLLS) as polls, connect(local, pool=128) as client:
        activity = Activity(polls)
        await client.create_activity(name=activity.name)
        machine = await create_machine(client, activity.machine())
        done: Counter[int] = Counter()
        workers = [asyncio.create_task(_work(activity, client, done)) for _ in range(POLLS)]
        starts = [client.start_execution(stateMachineArn=machine, input=str(number)) for number in range(EXECUTIONS)]
        started = await asyncio.gather(*starts)
        async with asyncio.timeout(50):
            while sum(done.values()) < EXECUTIONS:
                await asyncio.sleep(0.05)
        account = Account(client)
        ended = await asyncio.gather(*(account.ended(execution["executionArn"]) for execution in started))
        assert [(found["status"], found["output"]) for found in ended] == [
            ("SUCCEEDED", str(number)) for number in range(EXECUTIONS)
        ]
        assert done == Counter(range(EXECUTIONS))
        failed = [worker.exception() for worker in workers if worker.done()]
        assert failed == []
        for worker in workers:
            worker.cancel()
        await asyncio.gather(*workers, return_exceptions=True)


async def _work(activity: Activity, client: Any, done: Counter[int]) -> None:
    while True:
        token, value = await activity.task()
        done[value] += 1
        await client.send_task_heartbeat(taskToken=token)
        await client.send_task_success(taskToken=token, output=str(value))


@pytest.mark.slow
@pytest.mark.timeout(180)
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="only Linux tells what a process needs there")
async def test_executions_that_wait_need_little():
    command = [sys.executable, *WORKERS, "local", "--port", "0"]
    process = await asyncio.create_subprocess_exec(*command, stdout=subprocess.PIPE)
    try:
        assert process.stdout
        url = (await process.stdout.readline()).decode().split()[-1]
        keys = {"aws_access_key_id": "local", "aws_secret_access_key": "local", "region_name": "us-east-1"}
        config = AioConfig(max_pool_connections=32)
        async with SESSION.create_client("stepfunctions", endpoint_url=url, config=config, **keys) as client:
            machine = await create_machine(client, WAIT)

            async def start(numbers: range) -> None:
                for number in numbers:
                    await client.start_execution(stateMachineArn=machine, input=str(number))

            await asyncio.gather(*(start(range(first, WAITING, 32)) for first in range(32)))
        status = Path(f"/proc/{process.pid}/status").read_text()
    finally:
        process.kill()
        await process.wait()
    needed = int(re.findall(r"VmRSS:\s+(\d+) kB", status)[0]) / 1024
    print(f"{WAITING} waiting executions: {needed:.0f} MB")
    assert needed < MEGABYTES
