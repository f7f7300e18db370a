"""`workers local`: the embedded Step Functions as a process."""

import shlex
import signal
from collections.abc import Callable
from contextlib import AsyncExitStack
from typing import Any

import anyio
import click

from workers.arns import LOCAL_PORT
from workers.cli.pages import PORT, VARIABLE, pages
from workers.logs import configure_logs
from workers.settings import Settings


@click.command("local")
@click.option(
    "--port",
    type=click.IntRange(0, 65_535),
    default=LOCAL_PORT,
    show_default=True,
    show_envvar=True,
    envvar="WORKERS_LOCAL_PORT",
    help="Port on 127.0.0.1; 0 takes a free one.",
)
@click.option(
    "--poll-hold",
    type=click.FloatRange(min=0, max=3_600),
    default=60.0,
    show_default=True,
    show_envvar=True,
    envvar="WORKERS_LOCAL_POLL_HOLD",
    help="Seconds for which GetActivityTask waits for a task.",
)
@click.option(
    "--keep",
    type=click.IntRange(min=0),
    default=1_000,
    show_default=True,
    show_envvar=True,
    envvar="WORKERS_LOCAL_KEEP",
    help="Finished executions to remember; older ones are forgotten.",
)
@click.option(
    "--data",
    type=click.Path(file_okay=False),
    envvar="WORKERS_LOCAL_DATA",
    show_envvar=True,
    help="Directory to keep everything in: executions go on where they stood, even after kill -9.",
)
@click.option("--harsh", is_flag=True, envvar="WORKERS_LOCAL_HARSH", help="Behave as AWS does on a bad day.")
@click.option("--seed", type=int, help="Of the bad day: the same seed brings the same faults again.")
@click.option(
    "--lambda",
    "functions",
    multiple=True,
    metavar="NAME=MODULE:FUNCTION",
    help="A Python function that plays a Lambda function. May be repeated.",
)
@click.option(
    "--mocks",
    type=click.Path(exists=True, dir_okay=False),
    help="Results and errors of tasks, in the form of AWS's own mock configuration.",
)
@click.option("--ui", is_flag=True, envvar="WORKERS_LOCAL_UI", help="Serve the web page of executions, too.")
@click.option(
    "--ui-port",
    type=click.IntRange(0, 65_535),
    default=PORT,
    show_default=True,
    show_envvar=True,
    envvar="WORKERS_LOCAL_UI_PORT",
    help="Port of the page on 127.0.0.1; 0 takes a free one.",
)
def local(
    port: int,
    poll_hold: float,
    keep: int,
    *,
    data: str | None,
    harsh: bool,
    seed: int | None,
    functions: tuple[str, ...],
    mocks: str | None,
    ui: bool,
    ui_port: int,
) -> None:
    """Run AWS Step Functions on this machine, with activities, and without an AWS account.

    S3, SQS, DynamoDB, STS, IAM, EventBridge and CloudWatch answer at the same port. Without --data
    nothing is stored: what it knows ends with the process. Stop it with Ctrl-C.
    """
    if seed is not None and not harsh:
        raise click.UsageError("--seed chooses a bad day: it goes with --harsh")
    configure_logs()
    options = {
        "port": port,
        "poll_hold": poll_hold,
        "keep": keep,
        "data": data,
        "harsh": harsh,
        "seed": seed,
        "functions": dict(map(_function, functions)),
        "mocks": mocks,
    }
    anyio.run(_serve, options, ui_port if ui else None)


def _function(named: str) -> tuple[str, Callable[..., Any]]:
    from workers.loading import load_function

    name, separator, target = named.partition("=")
    if not (name and separator):
        raise click.UsageError(f"{named!r} is no function: write NAME=MODULE:FUNCTION")
    return name, load_function(target)


async def _serve(options: dict[str, Any], ui_port: int | None) -> None:
    from workers.local.engine import environment
    from workers.local.options import Options
    from workers.local.serving import serve

    with anyio.open_signal_receiver(signal.SIGINT, signal.SIGTERM) as signals:
        async with serve(Options(**options)) as serving, AsyncExitStack() as stack:
            url = serving.url
            variables = environment(url)
            if ui_port is not None:
                from workers.stepfunctions.account import open_account  # with the AWS SDK, which the engine is without

                account = await stack.enter_async_context(open_account(_settings(url)))
                variables[VARIABLE] = await stack.enter_async_context(pages(account, port=ui_port))
                click.echo(f"workers local: web page at {variables[VARIABLE]}")
            click.echo(f"workers local: ready at {url}")
            for name, value in variables.items():
                click.echo(f"export {name}={shlex.quote(value)}")
            await anext(signals)


def _settings(url: str) -> Settings:
    return Settings(local=True, local_port=int(url.rpartition(":")[2]), namespace=None)
