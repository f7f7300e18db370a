"""`workers run`: a registry's activities, in this process, until a signal."""

from typing import Any

import anyio
import click

from workers.cli.logs import configure_logs
from workers.cli.options import given, settings_options
from workers.loading import load_registry
from workers.settings import Settings
from workers.supervisor.worker import Worker


@click.command()
@click.argument("registry", metavar="MODULE:ATTRIBUTE")
@settings_options(Settings)
def run(registry: str, **options: Any) -> int:
    """Run the activities of the registry MODULE:ATTRIBUTE, as in handlers:registry.

    \b
    AWS is chosen as for every AWS tool: AWS_REGION, AWS_PROFILE, AWS_ENDPOINT_URL.
    --concurrency and --pollers are for each activity.

    \b
    The first SIGTERM or Ctrl-C drains: no new polls, running tasks finish within
    --grace, and polls that are open are awaited, because Step Functions may have
    given them a task already. The second one stops at once.

    \b
    Exit code: 0 every task was reported, 1 a fault, 2 bad input, 3 forced.
    """
    settings = Settings(**given(options))
    configure_logs(settings.log_level, settings.log_format)
    worker = Worker(load_registry(registry), settings)
    return anyio.run(lambda: worker.run(signals=True))
