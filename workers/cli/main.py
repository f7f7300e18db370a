"""The `workers` command: finds the command that is asked for, and turns errors into one line and an exit code."""

import sys
from importlib import import_module
from typing import Any, NoReturn

import click

from workers.cli.faults import fault_report
from workers.collector import look_rarely
from workers.errors import ExitCode, UsageError, WorkersError
from workers.supervisor.leave import handlers_run, leave
from workers.version import __version__

_COMMANDS = {
    "run": "Run the activities of a registry until it is told to stop.",
    "local": "Run the embedded Step Functions on this machine.",
    "demo": "See it all work: engine, workers and a real job.",
    "dev": "Run a machine again on each save, with fresh code.",
    "invoke": "Run one handler here, on an input.",
    "replay": "Run the handler of a failed state here, on the input that it had.",
    "exec": "Run a command line for each task of an activity.",
    "machines": "Validate, register, compare, draw and delete state machines.",
    "executions": "Start, follow, list, stop and redrive executions.",
    "activities": "List, show, create and delete activities.",
    "doctor": "Find what does not fit between handlers, machines and AWS.",
    "serve": "Run the workflow manager: a REST API for definitions and workflows.",
    "definitions": "List, show, change, compare and delete workflow definitions.",
    "workflows": "Start, follow, list, cancel, resume and redrive workflows.",
    "payloads": "Show offloaded payloads, and sweep old ones out of their store.",
    "iam": "Print IAM policies with the least that each part needs.",
}


class LazyGroup(click.Group):
    """Imports a command's module only when that command is used, so that each starts fast."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The commands, in the order in which a newcomer meets them."""
        del ctx
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command, imported now."""
        del ctx
        if cmd_name not in _COMMANDS:
            return None
        command = getattr(import_module(f"workers.cli.{cmd_name}"), cmd_name)
        return command if isinstance(command, click.Command) else None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The list of commands, without importing any."""
        del ctx
        with formatter.section("Commands"):
            formatter.write_dl(list(_COMMANDS.items()))


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="workers")
@click.pass_context
def cli(context: click.Context) -> None:
    """Run Python functions as AWS Step Functions activities.

    \b
    First steps, with no AWS account:
      workers demo                      everything at work, in a minute
      workers local                     an embedded Step Functions
      workers run handlers:registry --local
    """
    name = context.invoked_subcommand or ""
    if command := cli.get_command(context, name):
        from workers.cli.environment import say_unknown_variables  # with pydantic, which --help is without

        say_unknown_variables(name, command)


def main(arguments: list[str] | None = None) -> NoReturn:
    """Runs the command and exits with its code."""
    look_rarely()
    code = _run(arguments)
    if handlers_run():
        leave(code)
    sys.exit(code)


def _run(arguments: list[str] | None) -> int:
    try:
        code: Any = cli.main(arguments, prog_name="workers", standalone_mode=False)
    except click.exceptions.NoArgsIsHelpError as error:
        error.show()
        return ExitCode.USAGE
    except click.ClickException as error:
        command = _command_path(sys.argv[1:] if arguments is None else arguments)
        click.echo(f"workers: {error.format_message().removesuffix('.')} (see `{command} --help`)", err=True)
        return ExitCode.USAGE
    except click.Abort:
        return 130
    except WorkersError as error:
        click.echo(f"workers: {error}", err=True)
        return ExitCode.USAGE if isinstance(error, UsageError) else ExitCode.FAULT
    except Exception as error:  # noqa: BLE001 - shown here, because threads may keep the interpreter from showing it
        click.echo(fault_report(error), err=True)
        return ExitCode.FAULT
    return int(code or 0)


def _command_path(arguments: list[str]) -> str:
    """`workers machines put`, of all that follows: not every error of click knows its command."""
    context = click.Context(cli, info_name="workers")
    for word in arguments:
        command = context.command.get_command(context, word) if isinstance(context.command, click.Group) else None
        if command is None:
            break
        context = click.Context(command, info_name=word, parent=context)
    return context.command_path
