"""What the commands share that talk to Step Functions: the options that say where it is, and the way there."""

import sys
from collections.abc import Awaitable, Callable
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from workers.cli.options import given, settings_options
from workers.errors import ExitCode, UsageError
from workers.settings import Settings

if TYPE_CHECKING:  # what only looks at files does not wait for an AWS client to be imported
    from workers.arns import Place
    from workers.stepfunctions.account import Account

F = TypeVar("F", bound=Callable[..., Any])
T = TypeVar("T")

_OPTIONS = {
    "namespace": "Machines and activities are named NAMESPACE--NAME.",
    "account": "The AWS account.  [default: asked of STS]",
    "local": None,
    "local_port": None,
}

json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON, for programs.")


def aws_options(command: F) -> F:
    """Adds the options that say where Step Functions is; they arrive as keyword arguments for `on_account`."""
    return settings_options(Settings, _OPTIONS)(command)


_HINTS = {
    "ActivityDoesNotExist": "`workers activities list` shows those that there are",
    "ExecutionAlreadyExists": "names are taken for 90 days: choose another one",
    "ExecutionDoesNotExist": "`workers executions list MACHINE` shows those that there are",
    "StateMachineDoesNotExist": "`workers machines list` shows those that there are",
}


def on_account(work: Callable[["Account"], Awaitable[T]], options: dict[str, Any]) -> T:
    """The result of `work` on the account that `options` name.

    What Step Functions refuses is bad input: `UsageError`, in its own words.
    """
    import anyio

    from workers.logs import configure_logs
    from workers.stepfunctions.account import open_account
    from workers.stepfunctions.protocol import ActivityMissingError, RefusedError

    configure_logs("warning")
    settings = Settings(**given(options))

    async def run() -> T:
        async with open_account(settings) as account:
            return await work(account)

    try:
        return anyio.run(run)
    except (RefusedError, ActivityMissingError) as error:
        hint = _HINTS.get(error.code)
        raise UsageError(f"{error} ({hint})" if hint else str(error)) from error


def named_place(settings: Settings) -> "Place":
    """The place in which names become ARNs; AWS is asked for no more than the account, and only where it is not set."""
    import anyio

    from workers.stepfunctions.connection import name_place

    return anyio.run(name_place, settings)


def problems_exit_1(command: F) -> F:
    """A command that ends with 1, and says what is wrong, when a definition is invalid."""

    @wraps(command)
    def wrapped(*arguments: Any, **options: Any) -> Any:
        from workers.machines.problems import InvalidDefinitionError

        try:
            return command(*arguments, **options)
        except InvalidDefinitionError as error:
            click.echo(str(error), err=True)
            return ExitCode.FAULT

    return wrapped  # type: ignore[return-value]  # wraps() keeps the signature, and mypy does not see it


def is_file(text: str) -> bool:
    """Whether FILE|NAME is a file: it is there, or is written like one."""
    return text.endswith((".json", ".yaml", ".yml")) or "/" in text or Path(text).is_file()


def read_text(path: str) -> str:
    """The text of a file; `-` is stdin. Raises `UsageError`."""
    if path == "-":
        return sys.stdin.read()
    try:
        return Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"cannot read {path}: {error}") from None
