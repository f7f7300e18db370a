"""A stand-in for the ECS agent: the endpoints of scale-in protection and of task metadata, over real HTTP."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import web

TASK_ARN = "arn:aws:ecs:eu-central-1:123456789012:task/cluster/8f03e41243824aea923aca126495f665"


class Agent:
    """Keeps what it was asked, and answers as the agent does."""

    def __init__(self) -> None:
        self.puts: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self.answers: list[tuple[int, Any]] = []
        """What to answer instead, each once."""
        self.uri = ""

    async def next_put(self) -> dict[str, Any]:
        return await asyncio.wait_for(self.puts.get(), 10)

    async def protect(self, request: web.Request) -> web.Response:
        wish = await request.json()
        self.puts.put_nowait(wish)
        if self.answers:
            status, body = self.answers.pop(0)
            return web.json_response(body, status=status)
        return web.json_response(
            {
                "protection": {
                    "ExpirationDate": "2026-12-20T21:57:44.837Z" if wish["ProtectionEnabled"] else None,
                    "ProtectionEnabled": wish["ProtectionEnabled"],
                    "TaskArn": TASK_ARN,
                },
                "requestID": "12345-abc-6789-0123-abc",
            }
        )

    async def metadata(self, _: web.Request) -> web.Response:
        if self.answers:
            status, body = self.answers.pop(0)
            return web.json_response(body, status=status)
        return web.json_response({"Cluster": "cluster", "TaskARN": TASK_ARN, "Family": "workers"})


@asynccontextmanager
async def ecs_agent() -> AsyncIterator[Agent]:
    agent = Agent()
    app = web.Application()
    app.router.add_put("/api/0123/task-protection/v1/state", agent.protect)
    app.router.add_get("/api/0123/task", agent.metadata)
    runner = web.AppRunner(app)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        port = runner.addresses[0][1]
        agent.uri = f"http://127.0.0.1:{port}/api/0123"
        yield agent
    finally:
        await runner.cleanup()
