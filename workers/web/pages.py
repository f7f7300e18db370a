"""The pages, put together: routes, templates, static files, headers. Whoever serves them mounts the result.

A part of the page is a folder: its `routes.py` has `ROUTES`, its templates stand in `templates/PART/`, and its scripts
and styles in `static/`. Its handlers find what they show in `request.app.state.source`.
"""

from pathlib import Path

import anyio
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.routing import Mount
from starlette.staticfiles import StaticFiles

from workers.web.execution.followed import Following
from workers.web.execution.routes import ROUTES as EXECUTION
from workers.web.failures import HANDLERS
from workers.web.headers import SecurityHeaders
from workers.web.rendering import environment
from workers.web.source import Source

PREFIX = "/ui"
"""Where the pages are mounted beside the REST API."""


def make_pages(source: Source) -> Starlette:
    """The pages on `source`, as an ASGI application that knows no place of its own.

    `stop(pages)` ends its streams, which would last as long as their readers.
    """
    static = StaticFiles(directory=Path(__file__).parent / "static")
    app = Starlette(
        routes=[*EXECUTION, Mount("/static", static, name="static")],
        middleware=[Middleware(SecurityHeaders)],
        exception_handlers=HANDLERS,
    )
    app.state.source = source
    app.state.templates = environment()
    app.state.following = Following(source.account)
    app.state.stopping = anyio.Event()
    return app


def stop(pages: Starlette) -> None:
    """Ends the streams of `pages`, so that their server can end."""
    pages.state.stopping.set()
