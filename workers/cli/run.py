"""`workers run`: a registry's activities, in this process, until a signal."""

from importlib.util import find_spec
from typing import Any

import anyio
import click

from workers.cli.environment import warn_of_unknown_variables
from workers.cli.options import given, settings_options
from workers.cli.show import show_quota, show_settings
from workers.loading import load_registry
from workers.logs import configure_logs
from workers.settings import Settings
from workers.supervisor.quota import survey
from workers.supervisor.worker import Worker


@click.command()
@click.argument("registry", metavar="MODULE:ATTRIBUTE")
@settings_options(Settings)
@click.option("--print-settings", is_flag=True, help="Print each setting, its value and where it comes from, and exit.")
@click.option("--print-quota", is_flag=True, help="Print what this worker asks of the account's API quotas, and exit.")
def run(registry: str, *, print_settings: bool, print_quota: bool, **options: Any) -> int:
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
    flags = given(options)
    settings = Settings(**flags)
    configure_logs(settings.log_level, settings.log_format)
    warn_of_unknown_variables()
    if print_settings:
        show_settings(settings, flags)
        return 0
    handlers = load_registry(registry)
    if print_quota:
        show_quota(*anyio.run(survey, handlers, settings))
        return 0
    worker = Worker(handlers, settings)
    worker.metrics.add_process()
    return anyio.run(lambda: worker.run(signals=True), backend_options={"use_uvloop": bool(find_spec("uvloop"))})
