"""The API on a port, and ways to ask it."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import aiohttp
import pytest

from tests.manager.conftest import kept_open
from workers.manager.api.app import make_app
from workers.manager.api.measuring import Measures
from workers.manager.client import Client
from workers.manager.manager import LocalManager
from workers.manager.serving import serving


@dataclass
class Said:
    status: int
    headers: Any
    text: str

    @property
    def json(self) -> Any:
        return json.loads(self.text)

    @property
    def message(self) -> str:
        document = self.json
        assert isinstance(document, dict), self.text
        assert document.keys() <= {"message", "problems"}
        return str(document["message"])


class Api:
    """`await api("POST", "/workflows", {...})` asks as curl would."""

    def __init__(self, url: str, session: aiohttp.ClientSession) -> None:
        self.url = url
        self.session = session

    async def __call__(self, method: str, path: str, body: Any = None, **headers: str) -> Said:
        data = body if isinstance(body, (str, bytes)) or body is None else json.dumps(body)
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        sent.setdefault("Content-Type", "application/x-www-form-urlencoded")
        async with self.session.request(method, self.url + path, data=data, headers=sent) as answer:
            return Said(answer.status, answer.headers, await answer.text())

    async def ok(self, method: str, path: str, body: Any = None, status: int = 200, **headers: str) -> Any:
        said = await self(method, path, body, **headers)
        assert said.status == status, said
        return said.json if said.text else None

    async def refused(self, status: int, method: str, path: str, body: Any = None, **headers: str) -> str:
        said = await self(method, path, body, **headers)
        assert said.status == status, said
        return said.message


@asynccontextmanager
async def asking(manager: LocalManager, **options: Any) -> AsyncIterator[Api]:
    """The API of a manager on a port."""
    app = make_app(manager, **options)
    async with kept_open(serving(app)) as url, aiohttp.ClientSession() as session:
        yield Api(url, session)


@pytest.fixture
async def api(manager: LocalManager) -> AsyncIterator[Api]:
    measures = Measures()
    async with asking(manager, measures=measures) as found:
        yield found


@pytest.fixture
async def client(api: Api) -> AsyncIterator[Client]:
    async with Client(api.url) as found:
        yield found
