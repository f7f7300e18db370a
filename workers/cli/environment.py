"""Variables that nothing reads are said before a command begins: they are probably misspelt."""

import os
from collections.abc import Iterator

import click

from workers.logs import get_logger
from workers.variables import unknown_variables, unknown_variables_of

log = get_logger(__name__)


def warn_of_unknown_variables() -> None:
    """Logs each variable that begins with WORKERS_ and that no command reads. For commands that run a worker."""
    for unknown in unknown_variables(os.environ):
        log.warning("unknown variable", variable=unknown.name, did_you_mean=unknown.closest)


def say_unknown_variables(name: str, command: click.Command) -> None:
    """Says each variable on stderr that begins as those of `command`, called `name`, and that it does not read."""
    for unknown in unknown_variables_of(name, _variables(command), os.environ):
        hint = f": did you mean {unknown.closest}?" if unknown.closest else ""
        click.echo(f"workers: nothing reads the variable {unknown.name}{hint}", err=True)


def _variables(command: click.Command) -> Iterator[str]:
    """Those of its options, and of all commands below it."""
    for parameter in command.params:
        if isinstance(parameter.envvar, str):
            yield parameter.envvar
    if isinstance(command, click.Group):
        for below in command.commands.values():
            yield from _variables(below)
