"""Starts of workflows through the whole service, `workers serve`, against a stub of Step Functions.

The bounds: 200 starts a second; of a start, 15 ms of the service's own time (p95), from the request until the answer,
less what the stub took to answer StartExecution; less than 200 MB of memory. The store has a million workflows; ten
thousand of them run in 200 machines, and the service looks after them meanwhile: when it has caught up with them after
its start, which is told as well, one start comes after the other, and then many at once. The stub, and the client, are
in a process of their own.

Run: python benchmarks/manager_starts.py [ROWS [FILE or postgresql://…]]. What is there already is used again.
"""

import asyncio
import base64
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from pathlib import Path
from typing import Any

import aiohttp
from aiohttp import web
from manager import ROWS, memory, prepare

from workers.local import LocalStepFunctions
from workers.manager.model import Change, Launch, Status
from workers.manager.store.sql.store import SqlStore

ONE_BY_ONE = 500
MANY = 2_000
AT_ONCE = 16
BATCH = 500
CAUGHT_UP = 20.0
"""Seconds after which the service has looked at all that ran when it was started."""
ROLE = "arn:aws:iam::123456789012:role/states"
SERVE = "from workers.cli.main import main; main()"
READY = "workflow manager ready"
DROPPED = {"host", "content-length", "transfer-encoding", "content-encoding", "connection", "date", "server"}


class Stub:
    """Answers what starting and polling ask at once; the rest, machines above all, is the embedded engine's."""

    def __init__(self, upstream: str, running: dict[str, list[str]]) -> None:
        self.upstream = upstream
        self.running = running
        """The names of executions, by the ARNs of their machines."""
        self.took: dict[str, float] = {}
        """Seconds that the start of an execution took here, by its name."""
        self.http: aiohttp.ClientSession

    async def answer(self, request: web.Request) -> web.Response:
        begun = time.perf_counter()
        operation = request.headers.get("X-Amz-Target", "").rpartition(".")[2]
        body = await request.read()
        if operation == "StartExecution":
            asked = json.loads(body)
            found = self._started(asked["stateMachineArn"], asked["name"])
            self.took[asked["name"]] = time.perf_counter() - begun
        elif operation == "ListExecutions":
            found = self._listed(json.loads(body))
        else:
            return await self._engine(request, body)
        return web.json_response(found, content_type="application/x-amz-json-1.0")

    def _started(self, machine: str, name: str) -> dict[str, Any]:
        self.running[machine].append(name)
        return {"executionArn": execution(machine, name), "startDate": time.time()}

    def _listed(self, asked: dict[str, Any]) -> dict[str, Any]:
        machine, size = asked["stateMachineArn"], asked["maxResults"]
        names = self.running[machine] if asked["statusFilter"] == "RUNNING" else []
        begin = int(base64.b64decode(asked.get("nextToken", "")) or 0)
        items = [
            {"executionArn": execution(machine, name), "stateMachineArn": machine, "name": name, "status": "RUNNING",
             "startDate": time.time()}
            for name in names[begin : begin + size]
        ]  # fmt: skip
        more = base64.b64encode(str(begin + size).encode()).decode()
        return {"executions": items} | ({"nextToken": more} if begin + size < len(names) else {})

    async def _engine(self, request: web.Request, body: bytes) -> web.Response:
        headers = {key: value for key, value in request.headers.items() if key.lower() not in DROPPED}
        asked = self.http.request(request.method, self.upstream + request.raw_path, data=body, headers=headers)
        async with asked as answer:
            kept = {key: value for key, value in answer.headers.items() if key.lower() not in DROPPED}
            return web.Response(status=answer.status, body=await answer.read(), headers=kept)


def execution(machine: str, name: str) -> str:
    return f"{machine.replace(':stateMachine:', ':execution:')}:{name}"


async def running(url: str) -> dict[str, list[str]]:
    """What runs as the store knows it; what was queued there runs by now, and the service finds no news."""
    found: dict[str, list[str]] = defaultdict(list)
    async with SqlStore(url) as store:
        queued = []
        async for one in store.unfinished(Launch.STARTED):
            if one.execution_arn:
                machine, _, name = one.execution_arn.replace(":execution:", ":stateMachine:").rpartition(":")
                found[machine].append(name)
                queued += [one.id] if one.status is Status.QUEUED else []
        for first in range(0, len(queued), BATCH):
            known = await store.many_workflows(queued[first : first + BATCH])
            await store.update_workflows([(one, Change(status=Status.RUNNING)) for one in known])
    return found


async def measure(url: str) -> None:
    known = await running(url)
    async with LocalStepFunctions() as engine, aiohttp.ClientSession() as http:
        stub = Stub(engine.url, known)
        stub.http = http
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", stub.answer)
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        place = {"AWS_ENDPOINT_URL_SFN": f"http://127.0.0.1:{runner.addresses[0][1]}", "AWS_REGION": "us-east-1"}
        options = ("--database", url, "--port", "0", "--role", ROLE, "--log-format", "json")
        service = await asyncio.create_subprocess_exec(
            sys.executable, "-c", SERVE, "serve", *options, env=os.environ | engine.environment() | place,
            stderr=subprocess.PIPE,
        )  # fmt: skip
        try:
            root = await ready(service)
            await starts(root, http, stub, service.pid)
        finally:
            service.terminate()
            await service.wait()
            await runner.cleanup()


async def ready(service: asyncio.subprocess.Process) -> str:
    """The URL of the service; after that, nobody listens to what it logs."""
    assert service.stderr
    async for line in service.stderr:
        said = json.loads(line)
        if said["event"] == READY:
            asyncio.create_task(service.stderr.read()).add_done_callback(lambda _: None)
            return str(said["url"])
    raise RuntimeError("the service ended")


async def starts(root: str, http: aiohttp.ClientSession, stub: Stub, pid: int) -> None:
    machine = {"StartAt": "A", "States": {"A": {"Type": "Wait", "Seconds": 3_600, "End": True}}}
    name = f"starts-{time.time():.0f}"
    async with http.post(f"{root}/workflow-definitions", json={"name": name, "stateMachine": machine}) as answer:
        assert answer.status < 300, await answer.text()

    async def start() -> float:
        """The seconds that a start took, less what the stub took."""
        begun = time.perf_counter()
        asked = {"workflowDefinition": {"name": name}, "input": '{"order": 7}', "tags": {"team": "blue"}}
        async with http.post(f"{root}/workflows", json=asked) as answer:
            found = await answer.json()
        took = time.perf_counter() - begun
        assert found["launch"] == "started", found
        return took - stub.took.pop(found["id"])

    await start()
    worked = cpu(pid)
    await asyncio.sleep(CAUGHT_UP)
    print(f"catching up: {cpu(pid) - worked:.1f} s of CPU in {CAUGHT_UP:.0f} s")
    worked = cpu(pid)
    own = sorted([1_000 * await start() for _ in range(ONE_BY_ONE)])
    worked = cpu(pid) - worked
    p95 = statistics.quantiles(own, n=20)[18]
    print(f"one by one: {statistics.median(own):.1f} ms p50, {p95:.1f} ms p95, {own[-1]:.1f} ms at most; "
          f"{1_000 * worked / ONE_BY_ONE:.1f} ms of CPU each")  # fmt: skip
    left = iter(range(MANY))

    async def starter() -> None:
        for _ in left:
            await start()

    begun, worked = time.perf_counter(), cpu(pid)
    await asyncio.gather(*(starter() for _ in range(AT_ONCE)))
    took, worked = time.perf_counter() - begun, cpu(pid) - worked
    print(f"{AT_ONCE} at once: {MANY / took:.0f} a second; {1_000 * worked / MANY:.1f} ms of CPU each; "
          f"memory of the service: {memory(pid):.0f} MB")  # fmt: skip


def cpu(pid: int) -> float:
    """Seconds that a process has worked."""
    parts = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(parts[11]) + int(parts[12])) / os.sysconf("SC_CLK_TCK")


def main() -> None:
    rows = int(sys.argv[1]) if len(sys.argv) > 1 else ROWS
    with tempfile.TemporaryDirectory() as folder:
        given = sys.argv[2] if len(sys.argv) > 2 else str(Path(folder) / "manager.sqlite")
        url = given if "://" in given else f"sqlite:///{given}"
        asyncio.run(prepare(url, rows))
        asyncio.run(measure(url))


if __name__ == "__main__":
    main()
