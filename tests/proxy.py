"""Step Functions in front of the engine: real HTTP, and answers that the engine cannot be made to give."""

import json
from collections import defaultdict
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any
from urllib.parse import parse_qsl

import aiohttp
import pytest
from aiobotocore.session import get_session
from aiohttp import web

from tests.account import Account
from workers.local import LocalStepFunctions
from workers.settings import Settings
from workers.stepfunctions import account as account_module

Answer = web.Response | Callable[[dict[str, Any]], web.Response]
SESSION = get_session()
"""Shared, because each session reads the descriptions of services anew."""
_DROPPED = {"host", "content-length", "transfer-encoding", "content-encoding", "connection", "date", "server"}


def answered(**members: Any) -> web.Response:
    return web.json_response(members, content_type="application/x-amz-json-1.0")


def refused(code: str, message: str = "as the test says", status: int = 400) -> web.Response:
    return web.json_response(
        {"__type": code, "message": message}, status=status, content_type="application/x-amz-json-1.0"
    )


class Proxy:
    """Gives each operation its next answer from `answers`; without one, the engine's."""

    def __init__(self, upstream: str) -> None:
        self.upstream = upstream
        self.url = ""
        self.answers: dict[str, list[Answer]] = defaultdict(list)
        self.calls: list[tuple[str, dict[str, Any]]] = []
        self._http: aiohttp.ClientSession | None = None

    def called(self, operation: str) -> list[dict[str, Any]]:
        """The parameters of each call of `operation`."""
        return [parameters for name, parameters in self.calls if name == operation]

    async def answer(self, request: web.Request) -> web.StreamResponse:
        body = await request.read()
        target = request.headers.get("X-Amz-Target", "")
        form = dict(parse_qsl(body.decode(errors="replace"))) if b"Action=" in body else {}
        name = target.rpartition(".")[2] or form.get("Action", "")
        if name:
            parameters = json.loads(body or b"{}") if target else form
            self.calls.append((name, parameters))
            if self.answers[name]:
                scripted = self.answers[name].pop(0)
                return scripted if isinstance(scripted, web.Response) else scripted(parameters)
        headers = {key: value for key, value in request.headers.items() if key.lower() not in _DROPPED}
        async with self._http.request(
            request.method, self.upstream + request.raw_path, data=body, headers=headers
        ) as answer:
            kept = {key: value for key, value in answer.headers.items() if key.lower() not in _DROPPED}
            return web.Response(status=answer.status, body=await answer.read(), headers=kept)


@asynccontextmanager
async def proxy_to(upstream: str) -> AsyncIterator[Proxy]:
    """A proxy in front of the engine at `upstream`."""
    proxy = Proxy(upstream)
    app = web.Application(client_max_size=1 << 24)
    app.router.add_route("*", "/{path:.*}", proxy.answer)
    runner = web.AppRunner(app, access_log=None)
    async with aiohttp.ClientSession() as http:
        proxy._http = http
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        proxy.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        try:
            yield proxy
        finally:
            await runner.cleanup()


def opened(**settings: Any) -> AbstractAsyncContextManager[account_module.Account]:
    """The account that the environment points to."""
    return account_module.open_account(Settings(**settings), session=SESSION)


@pytest.fixture
async def here(account: Account) -> AsyncIterator[account_module.Account]:
    """The engine, as those see it who register machines and run executions."""
    async with opened() as found:
        yield found


@pytest.fixture
async def proxy(account: Account, engine: LocalStepFunctions, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Proxy]:
    """The environment points to a proxy in front of the engine."""
    async with proxy_to(engine.url) as found:
        monkeypatch.setenv("AWS_ENDPOINT_URL_SFN", found.url)
        yield found


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """Between the repetitions of a call no time passes."""

    def next_(backoff: Any) -> float:
        backoff.failures += 1
        return 0.0

    monkeypatch.setattr(account_module.Backoff, "next", next_)
