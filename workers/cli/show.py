"""Tables that `workers run` prints instead of running."""

from collections.abc import Collection

import click

from workers.cli.output import table
from workers.settings import Settings
from workers.supervisor.quota import LARGE_REGIONS, Demand, excesses
from workers.variables import origins


def show_settings(settings: Settings, given: Collection[str]) -> None:
    """Each setting, its value and where it comes from."""
    rows = [(one.name, "-" if one.value is None else str(one.value), one.origin) for one in origins(settings, given)]
    table(("setting", "value", "from"), rows)


def show_quota(found: Collection[Demand], region: str | None) -> None:
    """What one worker asks of the API buckets, and how much of them that is."""
    kind = "large" if region in LARGE_REGIONS else "smaller"
    click.echo(
        f"One worker's share of the account's buckets in {region or 'no region'} ({kind} buckets, soft quotas)\n"
    )
    rows = [
        (
            one.api,
            f"{one.at_once:,}",
            f"{one.bucket.size:,}",
            "-" if one.steady is None else f"{one.steady:,.2f}",
            f"{one.bucket.refill:,}",
            one.when,
            f"{one.share:.1%}",
        )
        for one in found
    ]
    table(("API", "at once", "of", "a second", "of", "when", "share"), rows)
    for sentence in excesses(found):
        click.echo(f"\ntoo much for the account: {sentence}")
