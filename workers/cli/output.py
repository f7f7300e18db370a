"""What commands print: tables for people, JSON for programs."""

import json
from collections.abc import Iterable
from datetime import datetime
from typing import Any

import click

from workers.durations import in_words


def table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> None:
    """Prints `rows` under `head`, in columns as wide as they need."""
    lines = [head, *rows]
    widths = [max(len(line[column]) for line in lines) for column in range(len(head))]
    for line in lines:
        click.echo("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())


def print_json(value: Any) -> None:
    """Prints a JSON document."""
    click.echo(compact(value, indent=2))


def compact(value: Any, *, indent: int | None = None) -> str:
    """A value as JSON."""
    return json.dumps(value, indent=indent, ensure_ascii=False, default=str)


def moment(time: datetime | None) -> str:
    """A time for people, in the zone of this machine."""
    return time.astimezone().strftime("%Y-%m-%d %H:%M:%S") if time else "-"


def duration(seconds: float | None) -> str:
    """A duration for people, such as `3 min 5 s`."""
    return "-" if seconds is None else in_words(seconds)
