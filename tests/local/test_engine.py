"""LocalStepFunctions: entering and leaving it, one after the other, side by side, with polls open."""

import asyncio
import gc
import socket
import sys
import threading
import time
from typing import Any

import pytest

from tests.account import Account
from tests.local.helpers import PASS, WAIT, Activity, connect, create_machine
from workers.errors import UsageError
from workers.local import LocalStepFunctions


async def test_the_address():
    async with LocalStepFunctions() as local:
        assert local.url == f"http://127.0.0.1:{local.port}"
        assert local.environment() == {
            "AWS_ENDPOINT_URL": local.url,
            "AWS_REGION": "us-east-1",
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_ACCESS_KEY_ID": "local",
            "AWS_SECRET_ACCESS_KEY": "local",
            "AWS_DISABLE_HOST_PREFIX_INJECTION": "true",
        }


async def test_one_after_the_other_knows_nothing_of_the_earlier():
    for _ in range(3):
        async with LocalStepFunctions() as local, connect(local) as client:
            assert (await client.list_activities())["activities"] == []
            assert (await client.list_state_machines())["stateMachines"] == []
            activity = Activity(client, "same")
            await client.create_activity(name=activity.name)
            await create_machine(client, PASS, "same")


SERVICES_ONE_AFTER_THE_OTHER = """
import asyncio
from tests.local.helpers import connect
from workers.local import LocalStepFunctions

async def buckets():
    async with LocalStepFunctions() as local, connect(local, "s3") as s3:
        found = (await s3.list_buckets())["Buckets"]
        await s3.create_bucket(Bucket="bucket")
        return len(found)

print([asyncio.run(buckets()) for _ in range(3)])
"""


async def test_the_other_services_are_emptied_with_the_last_engine():
    """In a process of its own: here, an engine that all tests share is open."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", SERVICES_ONE_AFTER_THE_OTHER, stdout=asyncio.subprocess.PIPE
    )
    output, _ = await process.communicate()
    assert output.decode().strip() == "[0, 0, 0]"


async def test_the_same_port_again():
    async with LocalStepFunctions() as local, connect(local) as client:
        port = local.port
        await client.list_activities()
    async with LocalStepFunctions(port=port) as local, connect(local) as client:
        assert local.port == port
        await client.list_activities()


async def test_side_by_side():
    async with (
        LocalStepFunctions() as one,
        LocalStepFunctions() as other,
        connect(one) as here,
        connect(other) as there,
    ):
        await here.create_activity(name="here")
        assert (await there.list_activities())["activities"] == []
        assert await Account(there).output(PASS, 1) == 1


async def test_it_ends_at_once_with_polls_and_executions_open():
    async with asyncio.timeout(10):  # a poll is held for 60 seconds, one of SQS for 20, a Wait lasts 600
        async with LocalStepFunctions() as local, connect(local) as client, connect(local, "sqs") as sqs:
            activity, account = Activity(client), Account(client)
            url = (await sqs.create_queue(QueueName="queue"))["QueueUrl"]
            await client.create_activity(name=activity.name)
            for machine in (WAIT, {**WAIT, "TimeoutSeconds": 300}):
                await account.start(machine)
            started = await account.start(activity.machine(HeartbeatSeconds=300))
            await activity.task()
            await account.reached(started, "ActivityStarted")
            polls = [asyncio.create_task(activity.poll()) for _ in range(20)]
            polls.append(asyncio.create_task(sqs.receive_message(QueueUrl=url, WaitTimeSeconds=20)))
            await asyncio.sleep(0.3)
        assert all(isinstance(end, Exception) for end in await asyncio.gather(*polls, return_exceptions=True))


async def test_it_leaves_no_thread_behind():
    before = set(threading.enumerate())
    async with LocalStepFunctions() as local, connect(local) as client:
        for _ in range(3):
            await Account(client).start(WAIT)
    async with asyncio.timeout(5):
        while any("Step" in thread.name for thread in set(threading.enumerate()) - before):
            await asyncio.sleep(0.01)


async def test_memory_stays_flat(monkeypatch: pytest.MonkeyPatch):
    """Beyond `keep`, an execution leaves no object of the engine behind."""
    async with LocalStepFunctions(keep=10) as local, connect(local) as client:
        activity, account = Activity(client), Account(client)
        await client.create_activity(name=activity.name)
        machine = await create_machine(client, activity.machine())

        async def run(number: int) -> None:
            started = await client.start_execution(stateMachineArn=machine)
            token, _ = await activity.task()
            await activity.succeed(token, number)
            await account.ended(started["executionArn"])

        async def run_some() -> int:
            for number in range(30):
                await run(number)
            return _count_objects()

        first = await run_some()
        assert await run_some() <= first + 5


def _count_objects() -> int:
    gc.collect()
    return sum(str(type(thing).__module__).startswith("workers.local.") for thing in gc.get_objects())


async def test_a_port_that_is_taken():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(UsageError, match=rf"port {port} of 127\.0\.0\.1 cannot be used: .*in use.* Choose another"):
            await LocalStepFunctions(port=port).__aenter__()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"port": 70_000}, "port 70000"),
        ({"port": -1}, "port -1"),
        ({"poll_hold": -1.0}, "cannot be held for -1.0 seconds"),
        ({"poll_hold": float("nan")}, "cannot be held for nan seconds"),
        ({"keep": -1}, "-1 finished executions"),
    ],
)
async def test_numbers_that_make_no_sense(options: dict[str, Any], message: str):
    with pytest.raises(UsageError, match=message):
        await LocalStepFunctions(**options).__aenter__()


WITHOUT_MOTO = """
import asyncio
import sys

from tests.account import Account
from tests.local.helpers import PASS, connect
from workers.local import LocalStepFunctions

sys.modules["moto"] = None

async def main():
    async with LocalStepFunctions() as local, connect(local) as client, connect(local, "s3") as s3:
        print(await Account(client).output(PASS, 1))
        try:
            await s3.list_buckets()
        except Exception as error:
            print(error)

asyncio.run(main())
"""


async def test_without_moto():
    """In a process of its own, which imports everything anew."""
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", WITHOUT_MOTO, stdout=asyncio.subprocess.PIPE)
    output, _ = await process.communicate()
    first, second = output.decode().strip().splitlines()
    assert first == "1"
    assert second.endswith(
        "the embedded AWS (S3, SQS, DynamoDB, …) needs packages that are not installed: "
        "pip install 'sfn-workers[local-aws]'"
    )


WITHOUT_JSONATA = """
import asyncio
import sys

from workers.errors import MissingExtraError
from workers.local import LocalStepFunctions

sys.modules["jsonata"] = None
try:
    asyncio.run(LocalStepFunctions().__aenter__())
except MissingExtraError as error:
    print(error)
"""


async def test_without_what_it_needs():
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", WITHOUT_JSONATA, stdout=asyncio.subprocess.PIPE
    )
    output, _ = await process.communicate()
    wanted = "the embedded Step Functions needs packages that are not installed: pip install 'sfn-workers[local]'"
    assert output.decode().strip() == wanted


def test_without_an_event_loop_of_the_caller():
    """As a test suite uses it that is not asynchronous."""
    from anyio.from_thread import start_blocking_portal

    began = time.monotonic()
    with start_blocking_portal() as portal, portal.wrap_async_context_manager(LocalStepFunctions()) as local:
        assert local.port
    assert time.monotonic() - began < 30
