"""The pages on a port of their own, for executions on an endpoint that no manager serves."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Mount, Route

from workers.manager.api.guard import Guard, Tokens
from workers.manager.serving import serving
from workers.stepfunctions.account import Account
from workers.web.pages import PREFIX, make_pages, stop
from workers.web.source import Source

PORT = 8084
"""Beside that of the embedded engine."""


@asynccontextmanager
async def standing_pages(account: Account, *, port: int = PORT) -> AsyncIterator[str]:
    """Pages on the executions of `account` while the context is open, for browsers of this machine; gives their URL.

    `port` 0 takes a free one. Raises `UsageError` for a port that cannot be had.
    """
    pages = make_pages(Source(account=account))
    app = Starlette(routes=[Route("/", _home), Mount(PREFIX, pages)], middleware=[Middleware(Guard, tokens=Tokens())])
    async with serving(app, port=port, stopping=lambda: stop(pages)) as url:
        yield f"{url}{PREFIX}"


async def _home(request: Request) -> Response:
    del request
    return RedirectResponse(f"{PREFIX}/")
