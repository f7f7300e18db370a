"""The tables of the reference pages that the code knows best. `python -m tests.docs.tables` writes them anew."""

import re
from pathlib import Path

from pydantic_core import PydanticUndefined

from tests.docs.log_events import ROOT
from workers.metrics import METRICS
from workers.settings import Settings, flag, variable

REFERENCE = ROOT / "docs" / "reference"


def metrics_rows() -> list[list[str]]:
    """Name, kind, labels and meaning of each metric."""
    return [
        [f"`{metric.name}`", metric.kind.value, ", ".join(f"`{label}`" for label in metric.labels), metric.help]
        for metric in METRICS
    ]


def settings_rows() -> list[list[str]]:
    """Flag, variable, default and meaning of each setting."""
    rows = []
    for name, field in Settings.model_fields.items():
        description, _, said = str(field.description).partition("  [default: ")
        plain = "" if field.default in {None, PydanticUndefined} else f"`{field.default}`"
        typed = f"`{flag(name)}` / `--no-{flag(name)[2:]}`" if field.default is True else f"`{flag(name)}`"
        rows.append([typed, f"`{variable(name)}`", said.rstrip("]") or plain, description])
    return rows


def read_rows(page: str) -> list[list[str]]:
    """The cells of all rows of all tables of a page, without the heads."""
    lines = [line for line in (REFERENCE / page).read_text().splitlines() if line.startswith("| `")]
    return [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in lines]


def write_table(page: Path, rows: list[list[str]]) -> None:
    """Replaces the rows of the one table of a page."""
    table = "".join(f"| {' | '.join(row)} |\n" for row in rows)
    page.write_text(re.sub(r"(\|---.*\n)(?:\|.*\n)+", lambda found: found[1] + table, page.read_text()))


if __name__ == "__main__":
    write_table(REFERENCE / "metrics.md", metrics_rows())
    write_table(REFERENCE / "settings.md", settings_rows())
