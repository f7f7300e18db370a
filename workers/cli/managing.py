"""What the commands share that talk to the workflow manager: where it is, and what its refusals mean."""

from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

import click

from workers.errors import UsageError

if TYPE_CHECKING:
    from workers.manager.client import Client

F = TypeVar("F", bound=Callable[..., Any])
T = TypeVar("T")


def manager_options(command: F) -> F:
    """Adds the options that say where the manager is; they arrive as keyword arguments for `on_manager`."""
    url = click.option(
        "--url",
        metavar="URL",
        default="http://127.0.0.1:8080",
        show_default=True,
        envvar="WORKERS_MANAGER_URL",
        help="Where `workers serve` answers.  [WORKERS_MANAGER_URL]",
    )
    token = click.option(
        "--token",
        metavar="TOKEN",
        envvar="WORKERS_MANAGER_TOKEN",
        help="A bearer token of it; better in the variable than on the line.  [WORKERS_MANAGER_TOKEN]",
    )
    return url(token(command))


def on_manager(work: Callable[["Client"], Awaitable[T]], options: Mapping[str, Any]) -> T:
    """The result of `work` on the manager that `options` name. What it refuses is bad input: `UsageError`."""
    import anyio

    from workers.logs import configure_logs
    from workers.manager.client import Client
    from workers.manager.errors import ConflictError, InvalidError, NotFoundError

    configure_logs("warning")

    async def run() -> T:
        async with Client(options["url"], token=options["token"]) as client:
            return await work(client)

    try:
        return anyio.run(run)
    except (InvalidError, NotFoundError, ConflictError) as error:
        raise UsageError(str(error)) from error


def pairs(texts: tuple[str, ...], option: str) -> dict[str, str]:
    """The KEY=VALUE texts of an option. Raises `UsageError`."""
    found = {}
    for text in texts:
        key, equals, value = text.partition("=")
        if not (key and equals):
            raise UsageError(f"{option} {text!r}: write KEY=VALUE")
        found[key] = value
    return found
