"""The pages on a port of their own, for executions on an endpoint that no manager serves."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from starlette.applications import Starlette
from starlette.routing import Mount, Route

from workers.manager.serving import serving
from workers.payloads.payloads import Payloads
from workers.stepfunctions.account import Account
from workers.web.pages import PREFIX, home, make_pages, stop
from workers.web.source import Source


@asynccontextmanager
async def standing_pages(account: Account, *, port: int = 0) -> AsyncIterator[str]:
    """Pages on the executions of `account` while the context is open, for browsers of this machine; gives their URL.

    `port` 0 takes a free one. Claims are loaded from the store that the account's settings name. Raises `UsageError`
    for a port that cannot be had.
    """
    async with AsyncExitStack() as stack:
        payloads = None
        if url := account.settings.payloads:
            payloads = Payloads(url)
            payloads.use_aws(account.connection.session, account.connection.endpoint_url)
            await stack.enter_async_context(payloads)
        pages = make_pages(Source(account=account, payloads=payloads))
        app = Starlette(routes=[Route("/", home), Mount(PREFIX, pages)])
        served = await stack.enter_async_context(serving(app, port=port, stopping=lambda: stop(pages)))
        yield f"{served}{PREFIX}"
