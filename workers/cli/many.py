"""`workers workflows cancel` and `refresh`: some, or all of a definition with a status, at a rate."""

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

import anyio
import click

from workers.cli.managing import manager_options, on_manager
from workers.errors import ExitCode, UsageError

if TYPE_CHECKING:
    from workers.manager.client import Client

_RATE = 10.0
_AT_ONCE = 8


def _selection(command: Any) -> Any:
    for option in (
        click.option("--rate", type=click.FloatRange(min=0, min_open=True), default=_RATE, show_default=True,
                     help="Workflows a second, at most."),
        click.option("--dry-run", is_flag=True, help="Only print which."),
        click.option("--status", type=click.Choice(["queued", "running"]), default="running", show_default=True,
                     help="With --definition: those with this status."),
        click.option("--definition", help="All of this definition, instead of ids."),
        click.argument("workflow_ids", metavar="[ID]...", nargs=-1),
    ):  # fmt: skip
        command = option(command)
    return command


@click.command()
@_selection
@click.option("--reason", required=True, help="Why; kept with each of them.")
@manager_options
def cancel(*, reason: str, **options: Any) -> int:
    """Cancel workflows: those with the IDs, or all of a definition with a status."""
    return _each(lambda client, one: client.cancel_workflow(one, reason), "cancelled", options)


@click.command()
@_selection
@manager_options
def refresh(**options: Any) -> int:
    """Read workflows anew from Step Functions: those with the IDs, or all of a definition with a status."""
    return _each(lambda client, one: client.refresh_workflow(one), "refreshed", options)


def _each(act: Callable[["Client", str], Awaitable[Any]], did: str, options: dict[str, Any]) -> int:
    """Does something with each workflow that is meant. Exit code 1: it was refused for some."""
    from workers.manager.errors import AwsDeniedError, ManagerError, UnavailableError
    from workers.stepfunctions.pacing import Bucket, Pace

    if bool(options["workflow_ids"]) == bool(options["definition"]):
        raise UsageError("say which workflows: ids, or --definition NAME")
    refused: list[str] = []

    async def work(client: "Client") -> None:
        pace, limiter = Pace(Bucket(0, options["rate"])), anyio.CapacityLimiter(_AT_ONCE)

        async def one(workflow_id: str) -> None:
            async with limiter:
                try:
                    await act(client, workflow_id)
                except (UnavailableError, AwsDeniedError):  # the next one would hear the same
                    raise
                except ManagerError as error:
                    refused.append(workflow_id)
                    click.echo(f"{workflow_id}: {error}", err=True)
                else:
                    click.echo(f"{workflow_id}: {did}")

        meant = await _meant(client, options)
        if options["dry_run"]:
            for workflow_id in meant:
                click.echo(f"{workflow_id}: would be {did}")
            return
        async with anyio.create_task_group() as group:
            for workflow_id in meant:
                await pace.turn()
                group.start_soon(one, workflow_id)

    on_manager(work, options)
    return ExitCode.FAULT if refused else ExitCode.OK


async def _meant(client: "Client", options: dict[str, Any]) -> list[str]:
    """The ids, read before anything is done: what is done changes the list."""
    from workers.manager.model import Query, Status

    if options["workflow_ids"]:
        return list(dict.fromkeys(options["workflow_ids"]))
    query = Query(
        workflow_definition_name=options["definition"],
        status=(Status(options["status"]),),
        oldest_first=True,
        limit=1_000,
    )
    return [one.id async for one in client.all_workflows(query)]
