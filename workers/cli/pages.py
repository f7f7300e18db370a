"""The web page from the command line: where it is, and one for the occasion."""

import os
import signal
import webbrowser
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import anyio
import click

from workers.errors import MissingExtraError

if TYPE_CHECKING:
    from workers.stepfunctions.account import Account

PORT = 8084
"""Of the page, beside that of the embedded engine."""
VARIABLE = "WORKERS_EXECUTIONS_UI"
"""Where the page is that shows executions, as in http://127.0.0.1:8084/ui."""


def link(execution: str) -> str | None:
    """The address of the page of an execution (its ARN), where a page is known."""
    page = os.environ.get(VARIABLE)
    return f"{page.rstrip('/')}/executions/{execution}" if page else None


def workflow_page(url: str, workflow: str) -> str:
    """The address of the page of a workflow (its id) beside the API of the manager at `url`."""
    return f"{url.rstrip('/')}/ui/workflows/{workflow}"


@asynccontextmanager
async def pages(account: "Account", *, port: int = 0) -> AsyncIterator[str]:
    """The pages on `account` while the context is open; gives their URL.

    Raises `UsageError` and `MissingExtraError`.
    """
    try:
        from workers.web.standing import standing_pages
    except ModuleNotFoundError as error:
        if (error.name or "").startswith("workers"):
            raise
        raise MissingExtraError("the web page", "web") from error
    async with standing_pages(account, port=port) as url:
        yield url


async def open_page(account: "Account", execution: str) -> None:
    """Opens the page of an execution (its ARN) in the browser; without a known one, serves it until Ctrl-C."""
    if known := link(execution):
        _open(known)
        return
    with anyio.open_signal_receiver(signal.SIGINT, signal.SIGTERM) as signals:
        async with pages(account) as url:
            _open(f"{url}/executions/{execution}")
            click.echo("Ctrl-C ends the page")
            await anext(signals)


def _open(address: str) -> None:
    click.echo(address)
    webbrowser.open(address)
