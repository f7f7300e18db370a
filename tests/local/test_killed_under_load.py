"""An engine that is killed every few seconds, under load: every execution ends once, no token comes twice.

Also where it behaves as AWS on a bad day: then calls are throttled, answers get lost, with the tokens in them, and what
was just created is not there yet.
"""

import asyncio
import json
import sys
from asyncio.subprocess import Process
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from itertools import count, takewhile
from pathlib import Path
from typing import Any

import pytest
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from tests.account import PREFIX, ROLE, SESSION

COMMAND = [sys.executable, "-c", "from workers.cli.main import main; main()", "local", "--poll-hold", "1"]
ACTIVITY = f"{PREFIX}:activity:work"
MACHINE = f"{PREFIX}:stateMachine:machine"
EXECUTIONS = 10_000
POLLS = 64
STARTERS = 16
CLOSED = {"TaskTimedOut", "TaskDoesNotExist"}
PASSING = {"ThrottlingException", "ActivityDoesNotExist", "StateMachineDoesNotExist"}
"""What a bad day answers now and then to a call that is fine; it is made again."""
DEFINITION = {
    "StartAt": "Work",
    "States": {
        "Work": {
            "Type": "Task",
            "Resource": ACTIVITY,
            "TimeoutSeconds": 3,
            "Retry": [
                {"ErrorEquals": ["States.Timeout"], "MaxAttempts": 1_000, "IntervalSeconds": 1, "BackoffRate": 1}
            ],
            "End": True,
        }
    },
}


class Engine:
    """A process that is started again whenever it was killed, on the same port and data."""

    def __init__(self, data: Path, port: int, *options: str, between_kills: float) -> None:
        place = ["--port", str(port), "--data", str(data)]
        self._command = [*COMMAND, *place, "--keep", str(EXECUTIONS * 2), *options]
        self._between_kills = between_kills
        self.kills = 0

    async def start(self) -> Process:
        process = await asyncio.create_subprocess_exec(*self._command, stdout=asyncio.subprocess.PIPE)
        assert process.stdout
        assert await process.stdout.readline()
        return process

    @asynccontextmanager
    async def killed_again_and_again(self) -> AsyncIterator[None]:
        process = await self.start()

        async def kill() -> None:
            nonlocal process
            while True:
                await asyncio.sleep(self._between_kills)
                process.kill()
                await process.wait()
                self.kills += 1
                process = await self.start()

        killer = asyncio.create_task(kill())
        try:
            yield
        finally:
            killer.cancel()
            await asyncio.gather(killer, return_exceptions=True)
            with suppress(ProcessLookupError):
                process.kill()
            await process.wait()


async def until_answered(call: Any, *, fine: frozenset[str] | set[str] = frozenset(), **parameters: Any) -> Any:
    """The answer to a call, which is repeated while the engine is down, or says that it cannot do it now.

    None for an error that is `fine`.
    """
    while True:
        try:
            return await call(**parameters)
        except ClientError as error:
            if (code := error.response["Error"]["Code"]) in fine:
                return None
            if code not in PASSING:
                raise
        except (BotoCoreError, OSError):
            pass
        await asyncio.sleep(0.05)


async def work(client: Any, tokens: set[str]) -> None:
    while True:
        task = await until_answered(client.get_activity_task, activityArn=ACTIVITY)
        if token := task.get("taskToken"):
            assert token not in tokens, "a task was handed out twice"
            tokens.add(token)
            await until_answered(client.send_task_success, fine=CLOSED, taskToken=token, output=task["input"])


async def start_some(client: Any, numbers: Iterator[int]) -> int:
    """Starts executions as long as there are numbers, and tells how many it has started."""
    started = 0
    for number in numbers:
        started += 1
        await until_answered(
            client.start_execution,
            fine={"ExecutionAlreadyExists"},
            stateMachineArn=MACHINE,
            name=f"n{number}",
            input=str(number),
        )
    return started


async def ended(client: Any) -> int:
    """How many executions have succeeded."""
    count, more = 0, {}
    while True:
        page = await until_answered(
            client.list_executions, stateMachineArn=MACHINE, statusFilter="SUCCEEDED", maxResults=1_000, **more
        )
        count += len(page["executions"])
        if "nextToken" not in page:
            return count
        more = {"nextToken": page["nextToken"]}


class Load:
    """Starters and workers, and what they have seen."""

    def __init__(self, engine: Engine, port: int) -> None:
        self._engine = engine
        self._url = f"http://127.0.0.1:{port}"
        self._tokens: set[str] = set()

    @asynccontextmanager
    async def client(self) -> AsyncIterator[Any]:
        config = Config(max_pool_connections=POLLS + STARTERS + 4, retries={"total_max_attempts": 1}, read_timeout=10)
        keys = {"aws_access_key_id": "local", "aws_secret_access_key": "local", "region_name": "us-east-1"}
        async with SESSION.create_client("stepfunctions", endpoint_url=self._url, config=config, **keys) as client:
            yield client

    async def run(self, numbers: Iterator[int]) -> int:
        """Starts an execution for each of the numbers and waits until all have succeeded; how many there were."""
        async with self.client() as client, self._engine.killed_again_and_again():
            await until_answered(client.create_activity, name="work")
            await until_answered(
                client.create_state_machine, name="machine", definition=json.dumps(DEFINITION), roleArn=ROLE
            )
            workers = [asyncio.create_task(work(client, self._tokens)) for _ in range(POLLS)]
            started = sum(await asyncio.gather(*(start_some(client, numbers) for _ in range(STARTERS))))
            while await ended(client) < started:
                assert not any(worker.done() for worker in workers)
                await asyncio.sleep(1)
            for worker in workers:
                worker.cancel()
            await asyncio.gather(*workers, return_exceptions=True)
        return started

    async def check(self, started: int) -> None:
        """One in twenty histories tells of one success, and of nothing that was begun and not ended."""
        process = await self._engine.start()
        try:
            async with self.client() as client:
                for number in range(0, started, 20):
                    await self._check(client, f"{PREFIX}:execution:machine:n{number}")
        finally:
            with suppress(ProcessLookupError):
                process.kill()
            await process.wait()

    async def _check(self, client: Any, arn: str) -> None:
        answer = await until_answered(client.get_execution_history, executionArn=arn, maxResults=1_000)
        kinds = [event["type"] for event in answer["events"]]
        assert [event["id"] for event in answer["events"]] == list(range(1, len(kinds) + 1))
        assert kinds.count("ActivitySucceeded") == kinds.count("ExecutionSucceeded") == 1
        assert kinds.count("ActivityStarted") == kinds.count("ActivityTimedOut") + 1


@pytest.mark.slow
@pytest.mark.timeout(900)
async def test_every_execution_ends_once(tmp_path: Path, unused_tcp_port: int):
    engine = Engine(tmp_path, unused_tcp_port, between_kills=5)
    load = Load(engine, unused_tcp_port)
    await load.check(await load.run(iter(range(EXECUTIONS))))
    assert engine.kills > 3


@pytest.mark.slow
@pytest.mark.timeout(300)
async def test_every_execution_ends_once_on_a_bad_day(tmp_path: Path, unused_tcp_port: int):
    engine = Engine(tmp_path, unused_tcp_port, "--harsh", "--seed", "1", between_kills=3)
    load = Load(engine, unused_tcp_port)
    await load.check(await load.run(takewhile(lambda number: number < 300 or engine.kills < 3, count())))
