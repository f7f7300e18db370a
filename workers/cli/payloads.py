"""`workers payloads`: look at offloaded payloads, and sweep old ones away."""

import sys
from typing import IO, Any

import anyio
import click
from rich.console import Console
from rich.filesize import decimal
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from workers.cli.options import given, settings_options
from workers.payloads.payloads import Payloads
from workers.payloads.show import LIMIT, contents, store_of
from workers.payloads.sweep import Swept, parse_age, sweep
from workers.settings import Settings
from workers.stepfunctions.connection import connect

_where = settings_options(
    Settings, {"local": "Use the S3 of the embedded Step Functions that `workers local` runs.", "local_port": None}
)


@click.group("payloads")
def payloads() -> None:
    """Look at payloads that were offloaded to a store, and sweep old ones away.

    \b
    A store is s3://BUCKET/PREFIX or file:///FOLDER. AWS is chosen as for every
    AWS tool: AWS_REGION, AWS_PROFILE, AWS_ENDPOINT_URL.
    """


@payloads.command("show")
@click.argument("target", metavar="URI|CLAIM")
@click.option("--output", default="-", metavar="FILE", help="Write to this file.  [default: stdout]")
@_where
def show(target: str, output: str, **where: Any) -> None:
    """Print a payload: a JSON document indented, a stream as it is.

    \b
    URI    s3://bucket/prefix/2026-01-02/3f5a…, from a claim
    CLAIM  the claim itself, as it stands in an input or output; - reads it from stdin
    """
    claim = sys.stdin.read() if target == "-" else target
    with click.open_file(output, "wb") as file:
        anyio.run(_show, claim, file, where)


async def _show(target: str, file: IO[bytes], where: dict[str, Any]) -> None:
    url, found = store_of(target)
    async with await _opened(url, where) as store:
        async for piece in contents(url, found, store):
            file.write(piece)


@payloads.command("sweep")
@click.argument("store", metavar="STORE")
@click.option("--older-than", "age", required=True, metavar="AGE", help="As in 36h, 30d or 4w; at least a day.")
@click.option("--dry-run", is_flag=True, help="Count what would be removed, and remove nothing.")
@_where
def sweep_(store: str, age: str, *, dry_run: bool, **where: Any) -> None:
    """Remove the payloads of STORE that were written longer ago than AGE.

    \b
    A claim must outlive its execution and the 14 days in which that can be
    redriven: for executions of at most a week, 30d is safe. On S3 a lifecycle
    rule on the prefix does the same without this command.
    """
    swept = anyio.run(_sweep, store, age, dry_run, where)
    verb = "would remove" if dry_run else "removed"
    payloads = "payload" if swept.removed == 1 else "payloads"
    click.echo(f"{verb} {swept.removed:,} {payloads}, {decimal(swept.removed_bytes)}")


async def _sweep(url: str, age: str, dry_run: bool, where: dict[str, Any]) -> Swept:
    older_than = parse_age(age)
    columns = (BarColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    console = Console(stderr=True)
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        line = bar.add_task("listing", total=None)  # a store does not say how much it holds: the bar pulses

        def progress(swept: Swept) -> None:
            bar.update(line, description=f"{swept.seen:,} seen, {swept.removed:,} removed")

        async with await _opened(url, where) as store:
            return await sweep(store.store, older_than=older_than, dry_run=dry_run, progress=progress)


async def _opened(url: str, where: dict[str, Any]) -> Payloads:
    connection = await connect(Settings(**given(where)))
    opened = Payloads(url, max_object=LIMIT, max_document=LIMIT)
    opened.use_aws(connection.session, connection.endpoint_url)
    return opened
