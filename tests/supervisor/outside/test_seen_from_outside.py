"""A real `workers run` process on the engine, looked at from outside."""

import asyncio
import json
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp

from tests.account import PREFIX, Account, task, unique
from tests.processes import Process, workers


class Watched:
    """A worker process whose log lines and health port are looked at."""

    def __init__(self, process: Process) -> None:
        self.process = process
        self.port = 0

    async def event(self, name: str, **values: Any) -> dict[str, Any]:
        """The first line with that event and those values."""

        def found() -> list[dict[str, Any]]:
            return [line for line in self.process.said if {"event": name, **values}.items() <= line.items()]

        try:
            async with asyncio.timeout(20), self.process._news:
                await self.process._news.wait_for(found)
        except TimeoutError:
            raise AssertionError(f"{name!r} was not said:\n{self.process.log()}") from None
        return found()[0]

    async def get(self, page: str) -> tuple[int, str]:
        async with aiohttp.ClientSession() as http, http.get(f"http://127.0.0.1:{self.port}{page}") as answer:
            return answer.status, await answer.text()

    async def metric(self, sample: str) -> None:
        """Waits for a sample: what the engine knows is counted here a moment later."""
        async with asyncio.timeout(10):
            while sample not in (await self.get("/metrics"))[1]:
                await asyncio.sleep(0.02)


@asynccontextmanager
async def watched(name: str, *options: str) -> AsyncIterator[Watched]:
    async with workers(
        "run",
        "tests.supervisor.outside.observed:registry",
        "--health-port",
        "0",
        *options,
        environment={"OBSERVED": name},
    ) as process:
        found = Watched(process)
        found.port = (await found.event("health port open"))["port"]
        yield found


def machine(name: str) -> dict[str, Any]:
    """The four activities one beside the other, each with the context of its task."""
    envelope = {
        "_context": {
            "execution.$": "$$.Execution.Id",
            "state.$": "$$.State.Name",
            "entered.$": "$$.State.EnteredTime",
            "retry.$": "$$.State.RetryCount",
        },
        "input.$": "$",
    }
    branches = [
        {
            "StartAt": kind,
            "States": {
                kind: {
                    "Type": "Task",
                    "Resource": f"{PREFIX}:activity:{name}-{kind}",
                    "Parameters": envelope,
                    "End": True,
                }
            },
        }
        for kind in ("async", "thread", "process")
    ]
    return {"StartAt": "All", "States": {"All": {"Type": "Parallel", "Branches": branches, "End": True}}}


async def test_a_worker_shows_what_it_does_and_never_a_payload(account: Account, tmp_path: Path) -> None:
    name, go = unique("observed"), tmp_path / "go-9d1f"
    for kind in ("async", "thread", "process"):
        await account.client.create_activity(name=f"{name}-{kind}")
    async with watched(name, "--heartbeat", "0.2", "--worker-name", "w-{pid}") as worker:
        await worker.event("worker started", worker=f"w-{worker.process.pid}")
        execution = await account.start(machine(name), {"go": str(go)})
        ids = {"execution": execution, "attempt": 1}

        for kind, text in (("async", "from the loop"), ("thread", "from a thread"), ("process", "from a process")):
            line = await worker.event(text, activity=f"{name}-{kind}", state=kind, logger="observed", **ids)
            assert len(line["task"]) == 10
        await worker.event("structured from the loop", activity=f"{name}-async", state="async", **ids)

        assert (await worker.get("/livez"))[0] == 200
        assert (await worker.get("/readyz"))[0] == 200
        tasks: dict[str, Any] = {}
        while not all("wait(go)" in "".join(tasks.get(kind, {"stack": ""})["stack"]) for kind in ("thread", "process")):
            code, body = await worker.get("/tasks")  # until both wait, which they do soon after their line
            assert code == 200
            tasks = {task["state"]: task for task in json.loads(body)["tasks"]}
        assert {task["execution"] for task in tasks.values()} == {execution}
        assert "in in_loop: " in tasks["async"]["stack"][0]
        assert "in in_thread: " in tasks["thread"]["stack"][0]
        assert "in in_process: " in tasks["process"]["stack"][0]

        worker.process.send(signal.SIGUSR1)
        await worker.event("running task", state="thread")
        shown = (
            json.dumps([line for line in worker.process.said if line["event"] in {"snapshot", "running task"}]) + body
        )
        assert "go-9d1f" not in shown

        go.touch()
        assert (await account.ended(execution))["status"] == "SUCCEEDED"
        for kind in ("async", "thread", "process"):
            await worker.metric(f'workers_tasks_total{{activity="{name}-{kind}",error="",outcome="succeeded"}} 1.0')
            await worker.metric(f'workers_queue_wait_seconds_count{{activity="{name}-{kind}"}} 1.0')
        await worker.metric("process_resident_memory_bytes ")

        blocking = await account.start(task(f"{name}-block"), {})
        bark = await worker.event("event loop blocked", activity=f"{name}-block")
        assert "in block: time.sleep(1.3)" in bark["line"]
        assert (await account.ended(blocking))["status"] == "SUCCEEDED"

        worker.process.send(signal.SIGTERM)
        assert await worker.process.ends() == 0
