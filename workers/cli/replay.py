"""`workers replay`: a task of an execution once more, by the handler on this machine."""

from typing import TYPE_CHECKING, Any

import click

from workers.cli.aws import aws_options, on_account
from workers.cli.handlers import payloads_option, pdb_option, shown
from workers.errors import ExitCode
from workers.loading import load_registry

if TYPE_CHECKING:
    from workers.offline.replay import Replay
    from workers.stepfunctions.account import Account


@click.command()
@click.argument("execution")
@click.option(
    "--registry",
    metavar="MODULE:ATTRIBUTE",
    default="handlers:registry",
    show_default=True,
    envvar="WORKERS_REPLAY_REGISTRY",
    show_envvar=True,
    help="Where the handler is registered.",
)
@click.option("--state", help="The state whose input is taken.  [default: the one that failed]")
@payloads_option
@pdb_option
@aws_options
def replay(execution: str, *, registry: str, state: str | None, debug: bool, **options: Any) -> ExitCode:
    """Run the handler of the state in which EXECUTION failed, on the very input that it had.

    EXECUTION is an ARN or MACHINE:NAME. The input is taken from the history, its payloads are loaded, and the handler
    runs here with its interceptors. Step Functions hears nothing of it: once the handler works, deploy it, and
    continue the execution with `workers executions redrive`.

    \b
    Exit code: 0 the handler returned, 1 it failed, 2 bad input.
    """
    from workers.offline.replay import replay as prepared

    handlers = load_registry(registry)

    async def work(account: "Account") -> "Replay":
        return await prepared(execution, handlers, state=state, account=account)

    found = on_account(work, options)
    was = f", which failed as {found.recorded.error}" if found.recorded.error else ""
    click.echo(f"State {found.recorded.state}{was}: its handler {found.handler}, once more", err=True)
    return shown(found.run, debug=debug)
