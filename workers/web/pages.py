"""The pages, put together: routes, templates, static files, headers. Whoever serves them mounts the result.

A part of the page is a folder: its `routes.py` has `ROUTES`, its templates stand in `templates/PART/`, and its scripts
and styles in `static/`. Its handlers find what they show in `request.app.state.source`.
"""

from pathlib import Path

import anyio
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from workers.manager.api.guard import Tokens
from workers.web.actions.routes import ROUTES as ACTIONS
from workers.web.definitions.routes import ROUTES as DEFINITIONS
from workers.web.execution.followed import Following
from workers.web.execution.routes import ROUTES as EXECUTION
from workers.web.failures import HANDLERS
from workers.web.headers import SecurityHeaders
from workers.web.lists.routes import ROUTES as LISTS
from workers.web.login.guard import PageGuard
from workers.web.login.routes import ROUTES as LOGIN
from workers.web.recent import Recent
from workers.web.rendering import environment
from workers.web.source import Source
from workers.web.workers.routes import ROUTES as WORKERS

PREFIX = "/ui"
"""Where the pages are mounted beside the REST API."""


async def home(request: Request) -> Response:
    """What whoever serves the pages answers at its root: the way to them."""
    del request
    return RedirectResponse(f"{PREFIX}/")


def make_pages(source: Source, *, tokens: Tokens | None = None, any_host: bool = False) -> Starlette:
    """The pages on `source`, as an ASGI application that knows no place of its own.

    `tokens`: with which one logs in; `any_host`: without any, whether pages may be asked for under any name of this
    machine. `stop(pages)` ends its streams, which would last as long as their readers.
    """
    static = StaticFiles(directory=Path(__file__).parent / "static")
    routes: list[Route | Mount] = [
        *LOGIN,
        *LISTS,
        *DEFINITIONS,
        *WORKERS,
        *ACTIONS,
        *EXECUTION,
        Mount("/static", static, name="static"),
    ]
    app = Starlette(
        routes=routes,
        middleware=[
            Middleware(SecurityHeaders),
            Middleware(PageGuard, tokens=tokens or Tokens(), any_host=any_host),
        ],
        exception_handlers=HANDLERS,
    )
    app.state.source = source
    app.state.templates = environment()
    app.state.routes = {route.name: route for route in routes}  # found at once: a list has hundreds of links
    app.state.recent = Recent()
    app.state.following = Following(source.account)
    app.state.stopping = anyio.Event()
    return app


def stop(pages: Starlette) -> None:
    """Ends the streams of `pages`, so that their server can end."""
    pages.state.stopping.set()
