"""The pages beside the REST API of a manager, asked as browsers and scripts ask."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from html import unescape
from typing import Any
from urllib.parse import urlencode

import aiohttp
import pytest

from tests.manager.conftest import kept_open, manager
from tests.proxy import here
from workers.manager.api.app import make_app
from workers.manager.api.guard import Tokens
from workers.manager.manager import LocalManager
from workers.manager.serving import serving
from workers.web.beside import pages_beside

__all__ = ["here", "manager"]

XSS = '"><img src=x onerror=alert(1)>'
_KEY = re.compile(r'name="form_key" value="([0-9a-f]+)"')


@dataclass
class Page:
    """What came back."""

    status: int
    headers: Any
    text: str
    url: str

    @property
    def words(self) -> str:
        """Its text without tags."""
        return " ".join(unescape(re.sub(r"<[^>]*>", " ", self.text)).split())

    @property
    def key(self) -> str:
        """The key of its forms."""
        found = _KEY.search(self.text)
        assert found, self.text
        return found[1]


class Site:
    """`await site("/workflows")` opens a page as a browser does, `await site.send("/login", token=…)` its form."""

    def __init__(self, root: str, session: aiohttp.ClientSession) -> None:
        self.root = root
        self.session = session

    async def __call__(self, path: str, *, follow: bool = True, **headers: str) -> Page:
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        async with self.session.get(f"{self.root}/ui{path}", headers=sent, allow_redirects=follow) as answer:
            return Page(answer.status, answer.headers, await answer.text(), str(answer.url))

    async def ok(self, path: str) -> Page:
        page = await self(path)
        assert page.status == 200, page.words
        return page

    async def send(self, path: str, *, follow: bool = True, **fields: Any) -> Page:
        """Opens the page and sends its form."""
        return await self.post(path, {"form_key": (await self(path)).key, **fields}, follow=follow)

    async def post(self, path: str, fields: dict[str, Any], *, follow: bool = True, **headers: str) -> Page:
        sent = {"Content-Type": "application/x-www-form-urlencoded"}
        sent |= {name.replace("_", "-"): value for name, value in headers.items()}
        data = urlencode(fields, doseq=True)
        async with self.session.post(
            f"{self.root}/ui{path}", data=data, headers=sent, allow_redirects=follow
        ) as answer:
            return Page(answer.status, answer.headers, await answer.text(), str(answer.url))


@asynccontextmanager
async def visiting(manager: LocalManager, *, tokens: Tokens | None = None, **options: Any) -> AsyncIterator[Site]:
    """A visitor of the pages of a manager."""
    tokens = tokens or Tokens()
    app, stopping = pages_beside(make_app(manager, tokens=tokens), manager, tokens=tokens, **options)
    jar = aiohttp.CookieJar(unsafe=True)
    async with (
        kept_open(serving(app, stopping=stopping)) as root,
        aiohttp.ClientSession(cookie_jar=jar) as session,
    ):
        yield Site(root, session)


@pytest.fixture
async def site(manager: LocalManager) -> AsyncIterator[Site]:
    async with visiting(manager) as found:
        yield found
