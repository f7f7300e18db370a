"""`workers local` as a process: what it prints, and how it ends."""

import asyncio
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from tests.account import Account
from tests.local.helpers import SESSION, WAIT, Activity

COMMAND = [sys.executable, "-c", "from workers.cli.main import main; main()", "local"]


@asynccontextmanager
async def running(*options: str, **variables: str) -> AsyncIterator[tuple[asyncio.subprocess.Process, dict[str, str]]]:
    """The process once it is ready, and the variables it told a shell to export."""
    process = await asyncio.create_subprocess_exec(
        *COMMAND,
        *options,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env={**os.environ, **variables},
    )
    try:
        assert process.stdout
        ready = (await process.stdout.readline()).decode()
        assert ready.startswith("workers local: ready at http://127.0.0.1:"), ready
        exports = [(await process.stdout.readline()).decode() for _ in range(6)]
        assert all(line.startswith("export AWS_") for line in exports)
        environment = dict(line.removeprefix("export ").strip().split("=", 1) for line in exports)
        assert environment["AWS_ENDPOINT_URL"] in ready
        yield process, environment
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def _ended(process: asyncio.subprocess.Process) -> tuple[int | None, str]:
    async with asyncio.timeout(20):
        _, errors = await process.communicate()
    return process.returncode, errors.decode()


@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM])
async def test_it_stops_cleanly_with_polls_and_executions_open(sent: signal.Signals, monkeypatch: pytest.MonkeyPatch):
    async with running("--port", "0") as (process, environment):
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        async with SESSION.create_client("stepfunctions") as client, SESSION.create_client("sqs") as sqs:
            url = (await sqs.create_queue(QueueName="queue"))["QueueUrl"]
            activity, account = Activity(client), Account(client)
            await client.create_activity(name=activity.name)
            await account.start(WAIT)
            await account.start(activity.machine())
            await activity.task()
            polls = [asyncio.create_task(activity.poll()) for _ in range(5)]
            polls.append(asyncio.create_task(sqs.receive_message(QueueUrl=url, WaitTimeSeconds=20)))
            await asyncio.sleep(0.2)
            process.send_signal(sent)
            try:
                assert await _ended(process) == (0, "")
            finally:
                for poll in polls:
                    poll.cancel()
                await asyncio.gather(*polls, return_exceptions=True)


async def test_it_stops_cleanly_when_nothing_happened():
    async with running(WORKERS_LOCAL_PORT="0", WORKERS_LOCAL_POLL_HOLD="1", WORKERS_LOCAL_KEEP="5") as (process, _):
        process.terminate()
        assert await _ended(process) == (0, "")


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        (["--port", "nonsense"], "'nonsense' is not a valid integer"),
        (["--port", "70000"], "70000 is not in the range 0<=x<=65535"),
        (["--poll-hold", "-1"], "-1.0 is not in the range"),
        (["--poll-hold", "nan"], "a poll cannot be held for nan seconds"),
        (["--keep", "many"], "'many' is not a valid integer"),
        (["--nonsense"], "No such option"),
    ],
)
async def test_bad_input_is_one_line_and_exit_code_2(options: list[str], complaint: str):
    process = await asyncio.create_subprocess_exec(*COMMAND, *options, stderr=asyncio.subprocess.PIPE)
    code, errors = await _ended(process)
    assert code == 2
    assert complaint in errors.strip().splitlines()[-1]
    assert "Traceback" not in errors


async def test_a_port_that_is_taken():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        process = await asyncio.create_subprocess_exec(*COMMAND, "--port", port, stderr=asyncio.subprocess.PIPE)
        code, errors = await _ended(process)
    assert code == 2
    assert len(errors.strip().splitlines()) == 1
    assert f"port {port} of 127.0.0.1 cannot be used" in errors
