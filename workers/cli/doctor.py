"""`workers doctor`: does the registry fit the machines?"""

from pathlib import Path
from typing import Any

import anyio
import click

from workers.cli.aws import is_file, json_option
from workers.cli.options import given, settings_options
from workers.cli.output import print_json
from workers.errors import ExitCode, UsageError
from workers.logs import configure_logs
from workers.settings import Settings

_OPTIONS = {
    "heartbeat": None,
    "payloads": None,
    "worker_name": "The worker's name, as in `workers run`: tasks that others took are told.",
    "create": None,
    "namespace": None,
    "account": None,
    "local": None,
    "local_port": None,
}


@click.command()
@click.argument("registry", metavar="MODULE:ATTRIBUTE")
@click.argument("machines", metavar="MACHINE...", nargs=-1, required=True)
@click.option("--offline", is_flag=True, help="Ask AWS nothing; machines are files then.")
@click.option("--strict", is_flag=True, help="Warnings are problems too.")
@click.option("--worker-role", metavar="ARN", help="The role to judge.  [default: whoever asks]")
@click.option("--recent", type=click.IntRange(min=0), default=20, show_default=True,
              help="Executions of each machine in whose histories other workers are looked for.")  # fmt: skip
@json_option
@settings_options(Settings, _OPTIONS)
def doctor(
    registry: str,
    machines: tuple[str, ...],
    *,
    offline: bool,
    strict: bool,
    worker_role: str | None,
    recent: int,
    as_json: bool,
    **options: Any,
) -> int:
    """Find what does not fit between the registry MODULE:ATTRIBUTE and the machines that use it.

    MACHINE is a file, or the name of a machine as it is deployed. The options are those of the worker.

    \b
    Found are: activities without a handler, and the reverse; heartbeats and timeouts that
    are missing or do not fit; errors that nothing catches, and catches of what nothing
    raises; results that are too large together; paths into offloaded values; payload stores
    that do not answer; other workers that still poll; permissions that are missing.

    \b
    Exit code: 0 fine, 1 problems, 2 bad input.
    """
    from workers.doctor.examination import examine
    from workers.loading import load_registry
    from workers.stepfunctions.protocol import RefusedError

    configure_logs("warning")
    settings = Settings(**given(options))
    handlers = load_registry(registry)
    found = [Path(machine) if is_file(machine) else machine for machine in machines]

    async def work() -> Any:
        return await examine(handlers, found, settings, offline=offline, role=worker_role, recent=recent)

    try:
        report = anyio.run(work)
    except RefusedError as error:
        raise UsageError(str(error)) from error
    if as_json:
        print_json(report.to_json())
    else:
        for finding in report.findings:
            click.echo(str(finding))
        click.echo(report.summary())
    return ExitCode.OK if report.fine(strict=strict) else ExitCode.FAULT
