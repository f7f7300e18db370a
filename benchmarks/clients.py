"""The contestants: each is an endless worker of the stub, in a process of its own.

python benchmarks/clients.py NAME URL POLLERS
"""

import asyncio
import json
import sys
import threading
from contextlib import AsyncExitStack
from typing import Any

ARN = "arn:aws:states:us-east-1:123456789012:activity:work"
REGION = {"region_name": "us-east-1", "aws_access_key_id": "x", "aws_secret_access_key": "y"}


def handle(text: str) -> str:
    return json.dumps({"ok": json.loads(text)["n"]})


def aiobotocore_loop(url: str, pollers: int, *, like_ours: bool) -> None:
    """What one would write by hand: poll, handle, report, in turn, `pollers` times side by side."""
    from aiobotocore.config import AioConfig
    from aiobotocore.session import get_session

    options: dict[str, Any] = {"read_timeout": 70, "max_pool_connections": pollers}
    if like_ours:
        options |= {"parameter_validation": False, "user_agent": "sfn-workers/0", "tcp_keepalive": True}
        options["retries"] = {"total_max_attempts": 1, "mode": "standard"}

    async def main() -> None:
        async with AsyncExitStack() as stack:
            client = await stack.enter_async_context(
                get_session().create_client("stepfunctions", endpoint_url=url, config=AioConfig(**options), **REGION)
            )

            async def loop() -> None:
                while True:
                    task = await client.get_activity_task(activityArn=ARN, workerName="loop")
                    if token := task.get("taskToken"):
                        await client.send_task_success(taskToken=token, output=handle(task["input"]))

            await asyncio.gather(*(loop() for _ in range(pollers)))

    asyncio.run(main())


def boto3_threads(url: str, pollers: int) -> None:
    """One thread a poller, one client for all."""
    import boto3
    from botocore.config import Config

    config = Config(read_timeout=70, max_pool_connections=pollers)
    client = boto3.client("stepfunctions", endpoint_url=url, config=config, **REGION)

    def loop() -> None:
        while True:
            task = client.get_activity_task(activityArn=ARN, workerName="loop")
            if token := task.get("taskToken"):
                client.send_task_success(taskToken=token, output=handle(task["input"]))

    threads = [threading.Thread(target=loop, daemon=True) for _ in range(pollers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def bare_client(url: str, pollers: int) -> None:
    """Our fast client in a hand-written loop: what is left to the worker above it is its own cost."""
    import anyio
    from aiobotocore.session import get_session

    from workers.stepfunctions.connection import Connection
    from workers.stepfunctions.fast.choice import open_stepfunctions

    async def main() -> None:
        session = get_session()
        session.set_config_variable("region", "us-east-1")
        session.set_credentials("x", "y")
        async with open_stepfunctions(Connection(session, url), "fast", polls=pollers, reports=pollers) as client:

            async def loop() -> None:
                while True:
                    if task := await client.get_activity_task(ARN, "loop"):
                        await client.send_task_success(task.token, handle(task.input))

            async with anyio.create_task_group() as group:
                for _ in range(pollers):
                    group.start_soon(loop)

    anyio.run(main, backend_options={"use_uvloop": True})


def worker(
    url: str,
    pollers: int,
    *,
    client: str = "fast",
    beat: float = 15.0,
    hold: float = 0.0,
    slots: int = 0,
    seen: bool = False,
) -> None:
    """This project. `hold` seconds a task, beating every `beat` seconds; with a health port where `seen`."""
    import os

    import anyio

    from workers import Settings, Worker
    from workers.logs import configure_logs

    configure_logs("warning", "json")
    os.environ |= {
        "AWS_ENDPOINT_URL": url,
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "x",
        "AWS_SECRET_ACCESS_KEY": "y",
    }
    registry = _registry(beat, hold)
    settings = Settings(
        account="123456789012",
        concurrency=slots or max(2 * pollers, 8),
        pollers=pollers,
        min_pollers=pollers,
        initial_pollers=pollers,
        grace=0,
        stop_grace=600,
        client=client,
        health_port=0 if seen else None,
    )
    anyio.run(lambda: Worker(registry, settings).run(signals=True), backend_options={"use_uvloop": client == "fast"})


def _registry(beat: float = 15.0, hold: float = 0.0) -> Any:
    import anyio

    from workers import Registry

    found = Registry()

    @found.activity("work", heartbeat=beat)
    async def work(n: int) -> dict[str, int]:
        if hold:
            await anyio.sleep(hold)
        return {"ok": n}

    return found


def __getattr__(name: str) -> Any:
    """`workers run clients:registry`: made only then, for the others need no worker."""
    if name == "registry":
        return _registry()
    raise AttributeError(name)


CLIENTS = {
    "worker": worker,
    "worker, stock client": lambda url, pollers: worker(url, pollers, client="botocore"),
    "bare fast client": bare_client,
    "aiobotocore, same settings": lambda url, pollers: aiobotocore_loop(url, pollers, like_ours=True),
    "aiobotocore, plain": lambda url, pollers: aiobotocore_loop(url, pollers, like_ours=False),
    "boto3 threads": boto3_threads,
    "beating": lambda url, pollers: worker(url, pollers, beat=1.0, hold=3600.0, slots=1_000),
    "beating, stock client": lambda url, pollers: worker(
        url, pollers, client="botocore", beat=1.0, hold=3600.0, slots=1_000
    ),
    "soak": lambda url, pollers: worker(url, pollers, seen=True),
    "soak, stock client": lambda url, pollers: worker(url, pollers, client="botocore", seen=True),
    "idle": lambda url, pollers: worker(url, pollers, slots=pollers),
}

if __name__ == "__main__":
    CLIENTS[sys.argv[1]](sys.argv[2], int(sys.argv[3]))
