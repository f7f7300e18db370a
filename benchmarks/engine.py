"""How fast the embedded Step Functions is, with a worker: `make bench-all`, or `python benchmarks/engine.py`.

A machine of one activity, a `workers local` and a `workers run` process, and this process as the client, all on the
same cores. Takes some ten seconds.
"""

import argparse
import asyncio
import json
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from time import perf_counter
from typing import Any

from harness import HERE, show

from workers import Registry
from workers.settings import Settings
from workers.stepfunctions.connection import connect

TOGETHER = 32
POLLERS = 8
MANY = 400
WARM = 5
SINGLE = 50
LOOK_EVERY = 0.05

registry = Registry()
registry.add("echo", lambda event, /: event)

ARN = "arn:aws:states:us-east-1:123456789012:activity:echo"
DEFINITION = {
    "StartAt": "Echo",
    "States": {"Echo": {"Type": "Task", "Resource": ARN, "TimeoutSeconds": 60, "End": True}},
}


@dataclass(frozen=True)
class Engine:
    process: subprocess.Popen[str]
    port: int
    ready_after: float

    def megabytes(self) -> float:
        """Its resident memory now."""
        return int(subprocess.check_output(["ps", "-o", "rss=", "-p", str(self.process.pid)])) / 1024


@contextmanager
def running(*arguments: str, **options: Any) -> Iterator[subprocess.Popen[str]]:
    """A `workers` process, stopped in the end."""
    command = [sys.executable, "-m", "workers", *arguments]
    with subprocess.Popen(command, text=True, cwd=HERE, **options) as process:
        try:
            yield process
        finally:
            process.terminate()


@contextmanager
def engine() -> Iterator[Engine]:
    started = perf_counter()
    with running("local", "--port", "0", "--poll-hold", "1", stdout=subprocess.PIPE) as process:
        line = process.stdout.readline()
        yield Engine(process, int(line.rpartition(":")[2]), perf_counter() - started)


async def start(client: Any, machine: str) -> str:
    given = json.dumps({"at": perf_counter()})
    return (await client.start_execution(stateMachineArn=machine, input=given))["executionArn"]


async def single(client: Any, machine: str) -> float:
    """Seconds from StartExecution to the moment in which the client sees the end."""
    started = perf_counter()
    arn = await start(client, machine)
    while True:
        seen = await client.describe_execution(executionArn=arn)
        if seen["status"] != "RUNNING":
            return perf_counter() - started
        await asyncio.sleep(0.001)


async def many(client: Any, machine: str) -> float:
    """Executions a second, when each that has ended is replaced by another one."""
    begun, started = 0, perf_counter()
    while True:
        seen = await client.list_executions(stateMachineArn=machine, statusFilter="RUNNING", maxResults=TOGETHER)
        new = min(TOGETHER - len(seen["executions"]), MANY - begun)
        if not new and not seen["executions"]:
            return MANY / (perf_counter() - started)
        await asyncio.gather(*(start(client, machine) for _ in range(new)))
        begun += new
        await asyncio.sleep(LOOK_EVERY)


async def check(client: Any, machine: str, expected: int) -> None:
    """Raises when an execution did not succeed: figures of failures mean nothing."""
    pages = client.get_paginator("list_executions").paginate(stateMachineArn=machine, statusFilter="SUCCEEDED")
    succeeded = sum([len(page["executions"]) async for page in pages])
    if succeeded != expected:
        raise SystemExit(f"{expected - succeeded} of {expected} executions did not succeed")


async def measure(port: int) -> tuple[float, float]:
    """Median seconds of single executions, and executions a second."""
    connection = await connect(Settings(local=True, local_port=port))
    async with connection.client("stepfunctions") as client:
        created = await client.create_state_machine(
            name="echo", definition=json.dumps(DEFINITION), roleArn="arn:aws:iam::123456789012:role/echo"
        )
        machine = created["stateMachineArn"]
        await client.create_activity(name="echo")
        for _ in range(WARM):
            await single(client, machine)
        alone = [await single(client, machine) for _ in range(SINGLE)]
        rate = await many(client, machine)
        await check(client, machine, WARM + SINGLE + MANY)
    return statistics.median(alone), rate


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true")
    as_json = parser.parse_args().json
    options = ["--pollers", str(POLLERS), "--initial-pollers", str(POLLERS), "--concurrency", str(TOGETHER)]
    with tempfile.TemporaryFile() as log, engine() as local:
        at_start = local.megabytes()
        port = str(local.port)
        with running("run", "engine:registry", "--local", "--local-port", port, *options, stderr=log):
            median, rate = asyncio.run(measure(local.port))
        at_end = local.megabytes()
    memory = f"{at_start:.0f} and {at_end:.0f} MB"
    rows = [
        {"what": f"executions, {TOGETHER} together, {POLLERS} pollers", "shown": f"{rate:.0f} a second"},
        {"what": "one execution alone, median", "shown": f"{median * 1000:.1f} ms"},
        {"what": "from start to ready", "shown": f"{local.ready_after:.2f} s"},
        {"what": f"memory at the start, and after {WARM + SINGLE + MANY} executions", "shown": memory},
    ]
    show([{**row, "what": f"embedded Step Functions: {row['what']}"} for row in rows], as_json=as_json)


if __name__ == "__main__":
    main()
