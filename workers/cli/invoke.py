"""`workers invoke`: one handler, and no Step Functions."""

from typing import Any

import click

from workers.cli.handlers import input_of, payloads_option, pdb_option, shown
from workers.cli.options import given
from workers.loading import load_registry
from workers.settings import Settings


@click.command()
@click.argument("registry", metavar="MODULE:ATTRIBUTE")
@click.argument("activity")
@click.option("--input", "text", metavar="FILE|JSON", default="{}", help="The input; - is stdin.  [default: {}]")
@payloads_option
@pdb_option
def invoke(registry: str, activity: str, *, text: str, debug: bool, **options: Any) -> int:
    """Run the handler of ACTIVITY with its interceptors, here; Step Functions hears nothing of it.

    \b
      workers invoke handlers:registry add --input '{"x": 1, "y": 2}'

    Exit code: 0 it returned, 1 it failed, 2 bad input.
    """
    from workers.logs import configure_logs
    from workers.offline.environment import ActivityEnvironment

    configure_logs("warning")
    environment = ActivityEnvironment(load_registry(registry), settings=Settings(**given(options)), stored=True)
    value = input_of(text)
    return shown(lambda: environment.run(activity, value), debug=debug)
