"""What `invoke` and `replay` share: an input from the command line, and the end of a handler."""

import json
import pdb  # noqa: T100 - --pdb asks for it
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import anyio
import click

from workers.cli.aws import read_text
from workers.cli.output import print_json
from workers.errors import ExitCode, UsageError
from workers.failures import failure
from workers.signatures import InvalidInputError, InvalidOutputError
from workers.supervisor.tasks.output import OutputTooLargeError

_REFUSED = (InvalidInputError, InvalidOutputError, OutputTooLargeError)
"""What a worker reports without a stack trace, because none would help."""

payloads_option = click.option(
    "--payloads", metavar="URL", help="Store for large payloads, as in s3://bucket.  [WORKERS_PAYLOADS]"
)
pdb_option = click.option("--pdb", "debug", is_flag=True, help="When the handler fails, look at it with the debugger.")


def input_of(given: str) -> Any:
    """The value of `--input FILE|JSON`; `-` is stdin. Raises `UsageError`."""
    try:
        return json.loads(given)
    except (ValueError, RecursionError) as error:
        if given != "-" and not Path(given).is_file():
            raise UsageError(f"{given!r} is neither JSON ({error}) nor a file") from None
    try:
        return json.loads(read_text(given))
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{given} is no JSON: {error}") from None


def shown(run: Callable[[], Awaitable[Any]], *, debug: bool) -> ExitCode:
    """Runs a handler; prints what it returns, or on stderr what it raises, as a state machine would see it.

    With `debug`, the debugger is opened where it was raised.
    """
    returned, error = anyio.run(_outcome, run)
    if error is None:
        print_json(returned)
        return ExitCode.OK
    reported = failure(error)
    cause = str(error) if isinstance(error, _REFUSED) else _trace(reported.cause)
    click.echo(f"{cause}\nThe task would fail as {reported.error}.", err=True)
    if debug and error.__traceback__:
        pdb.post_mortem(error.__traceback__)
    return ExitCode.FAULT


async def _outcome(run: Callable[[], Awaitable[Any]]) -> tuple[Any, Exception | None]:
    """Caught here, where the event loop is not yet part of its traceback."""
    try:
        return await run(), None
    except UsageError:
        raise
    except Exception as error:  # noqa: BLE001 - whatever a handler raises is shown
        return None, error


def _trace(cause: str) -> str:
    """The stack trace in a cause, from the user's first line on; a cause of the user's own is shown as it is."""
    try:
        return "\n".join(json.loads(cause)["stackTrace"])
    except (ValueError, KeyError, TypeError):
        return cause
