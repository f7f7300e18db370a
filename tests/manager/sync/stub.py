"""Step Functions as it answers about many executions: pages of a thousand, eventual order, and its token buckets."""

import base64
import json
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import web

from workers.local.errors import ApiError
from workers.local.harsh.buckets import Buckets

PREFIX = "arn:aws:states:us-east-1:123456789012"


class Stub:
    """Executions as the test sets them: name, machine, status, start and stop."""

    def __init__(self, region: str = "us-east-1") -> None:
        self.buckets = Buckets(region)
        self.executions: dict[str, dict[str, Any]] = {}
        """Items of ListExecutions, by their names, the oldest first."""
        self.machines: dict[str, dict[str, Any]] = {}
        self.calls: Counter[str] = Counter()
        self.throttled: Counter[str] = Counter()
        self.started: Counter[str] = Counter()
        self.url = ""

    def put(self, machine: str, name: str, status: str, start: float, stop: float | None = None) -> str:
        """An execution as it is now; its ARN."""
        arn = f"{PREFIX}:execution:{machine}:{name}"
        self.executions[name] = {
            "executionArn": arn,
            "stateMachineArn": f"{PREFIX}:stateMachine:{machine}",
            "name": name,
            "status": status,
            "startDate": start,
            "redriveCount": 0,
        } | ({} if stop is None else {"stopDate": stop})
        return arn

    async def answer(self, request: web.Request) -> web.Response:
        operation = request.headers["X-Amz-Target"].rpartition(".")[2]
        self.calls[operation] += 1
        try:
            self.buckets.take(operation)
            found = getattr(self, f"_{operation}")(json.loads(await request.read()))
        except ApiError as error:
            self.throttled[operation] += 1
            found = {"__type": error.code, "message": str(error)}
            return web.json_response(found, status=400, content_type="application/x-amz-json-1.0")
        return web.json_response(found, content_type="application/x-amz-json-1.0")

    def _ListExecutions(self, asked: dict[str, Any]) -> dict[str, Any]:  # noqa: N802 - the operation's name
        found = [
            item
            for item in reversed(self.executions.values())
            if item["stateMachineArn"] == asked["stateMachineArn"] and item["status"] == asked["statusFilter"]
        ]
        begin = int(base64.b64decode(asked["nextToken"])) if asked.get("nextToken") else 0
        end = begin + asked["maxResults"]
        token = base64.b64encode(str(end).encode()).decode()
        return {"executions": found[begin:end]} | ({"nextToken": token} if end < len(found) else {})

    def _DescribeExecution(self, asked: dict[str, Any]) -> dict[str, Any]:  # noqa: N802 - the operation's name
        item = self.executions[asked["executionArn"].rpartition(":")[2]]
        more = {"output": "{}"} if item["status"] == "SUCCEEDED" else {"error": "Boom", "cause": "because"}
        return item | ({} if item["status"] == "RUNNING" else more)

    def _GetExecutionHistory(self, asked: dict[str, Any]) -> dict[str, Any]:  # noqa: N802 - the operation's name
        del asked
        return {"events": []}

    def _StartExecution(self, asked: dict[str, Any]) -> dict[str, Any]:  # noqa: N802 - the operation's name
        self.started[asked["name"]] += 1
        machine = asked["stateMachineArn"].rpartition(":")[2]
        return {"executionArn": self.put(machine, asked["name"], "RUNNING", time.time()), "startDate": time.time()}


@asynccontextmanager
async def stub_of(region: str = "us-east-1") -> AsyncIterator[Stub]:
    """The stub on a port of its own."""
    stub = Stub(region)
    app = web.Application()
    app.router.add_post("/", stub.answer)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    stub.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield stub
    finally:
        await runner.cleanup()
