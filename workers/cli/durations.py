"""Durations on the command line."""

import re

import click

_UNITS = {"": 1.0, "s": 1.0, "m": 60.0, "h": 3_600.0, "d": 86_400.0}
_FORM = re.compile(r"(?P<number>\d+(\.\d+)?)\s*(?P<unit>[smhd]?)")


def duration(text: str) -> float:
    """The seconds in `90`, `90s`, `15m`, `2h` or `3d`; a type of click's options."""
    if not (found := _FORM.fullmatch(text.strip())):
        raise click.BadParameter(f"{text!r} is no duration: write 90s, 15m, 2h or 3d")
    return float(found["number"]) * _UNITS[found["unit"]]
