"""What commands print: tables for people, JSON for programs."""

import json
from collections.abc import Iterable
from datetime import datetime
from typing import Any

import click


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
    """A duration for people: `7 ms`, `0.4 s`, `12 s`, `3 min 5 s`, `2 h 14 min`, `3 d 2 h`."""
    if seconds is None:
        return "-"
    if seconds < 0.1:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 10:
        return f"{seconds:.1f} s"
    whole = int(seconds)
    for size, name, smaller, small_name in ((86_400, "d", 3_600, "h"), (3_600, "h", 60, "min"), (60, "min", 1, "s")):
        if whole >= size:
            return f"{whole // size} {name} {whole % size // smaller} {small_name}"
    return f"{whole} s"
