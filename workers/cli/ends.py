"""How an execution ended, on the command line."""

from typing import TYPE_CHECKING

import click

from workers.cli.output import print_json
from workers.cli.pages import link
from workers.errors import ExitCode

if TYPE_CHECKING:
    from workers.executions.execution import Execution


def print_end(execution: "Execution", *, as_json: bool) -> ExitCode:
    """Prints the output, or on stderr why there is none; returns the exit code."""
    from workers.executions.execution import ExecutionFailedError

    if as_json:
        print_json(execution.to_json())
    elif execution.succeeded:
        print_json(execution.output)
    else:
        click.echo(str(ExecutionFailedError(execution)), err=True)
        if page := link(execution.arn):
            click.echo(page, err=True)
    return ExitCode.OK if execution.succeeded else ExitCode.FAULT
