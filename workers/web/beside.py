"""The pages and the REST API of the manager on one port."""

from collections.abc import Callable
from functools import partial

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.routing import Mount, Route
from starlette.types import ASGIApp

from workers.manager.api.guard import Tokens
from workers.manager.manager import LocalManager
from workers.web.pages import PREFIX, home, make_pages, stop
from workers.web.source import Source


def pages_beside(
    api: ASGIApp,
    manager: LocalManager,
    *,
    tokens: Tokens,
    any_host: bool = False,
    health: tuple[str, ...] = (),
) -> tuple[Starlette, Callable[[], None]]:
    """The pages on `manager` and its API in one application; and what ends their streams.

    `tokens`, `any_host`: as for the API. `health`: the addresses of workers' health ports.
    """
    source = Source(account=manager.account, manager=manager, payloads=manager.payloads, health=health)
    pages = make_pages(source, tokens=tokens, any_host=any_host)
    compressed = Middleware(GZipMiddleware, minimum_size=1_024)
    app = Starlette(
        routes=[Route("/", home), Mount(PREFIX, pages, middleware=[compressed]), Mount("", api)],
    )
    return app, partial(_stop, manager, pages)


def _stop(manager: LocalManager, pages: Starlette) -> None:
    manager.recent_changes.close()
    stop(pages)
