"""Many clients at once: nothing fails, nothing is lost, nothing comes twice."""

import asyncio
from collections import Counter
from typing import Any

from tests.account import Account
from tests.local.helpers import Activity, connect, create_machine
from workers.local import LocalStepFunctions

EXECUTIONS = 200
POLLS = 64


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
