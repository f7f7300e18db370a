"""The tables of the reference pages that the code knows best. `python -m tests.docs.tables` writes them anew."""

import ast
import json
import re
from pathlib import Path

from click import Option
from pydantic_core import PydanticUndefined

from tests.docs import cli_page, python_page
from tests.docs.log_events import ROOT
from workers.cli.serve import serve
from workers.errors import ErrorName
from workers.manager.api.measuring import Measures
from workers.metrics import METRICS
from workers.settings import Settings, flag, variable

REFERENCE = ROOT / "docs" / "reference"


def metrics_rows() -> list[list[str]]:
    """Name, kind, labels and meaning of each metric."""
    return [
        [f"`{metric.name}`", metric.kind.value, ", ".join(f"`{label}`" for label in metric.labels), metric.help]
        for metric in METRICS
    ]


def errors_rows() -> list[list[str]]:
    """Name and meaning of each error that this framework sends, and whether to retry: from what stands below it."""
    source = ast.parse((ROOT / "workers" / "errors.py").read_text())
    (names,) = [node for node in source.body if isinstance(node, ast.ClassDef) and node.name == ErrorName.__name__]
    rows = []
    for name, text in zip(names.body[1::2], names.body[2::2], strict=True):
        said = " ".join(ast.literal_eval(ast.unparse(text)).split())
        meaning, _, retry = said.removesuffix(".").partition(" Retry: ")
        rows.append([f"`{ErrorName[name.targets[0].id]}`", meaning, retry])
    return rows


def settings_rows() -> list[list[str]]:
    """Flag, variable, default and meaning of each setting."""
    rows = []
    for name, field in Settings.model_fields.items():
        description, _, said = str(field.description).partition("  [default: ")
        plain = "" if field.default in {None, PydanticUndefined} else f"`{field.default}`"
        typed = f"`{flag(name)}` / `--no-{flag(name)[2:]}`" if field.default is True else f"`{flag(name)}`"
        rows.append([typed, f"`{variable(name)}`", said.rstrip("]") or plain, description])
    return rows


def serve_rows() -> list[list[str]]:
    """Flag, variable, default and meaning of each setting that only `workers serve` has."""
    options = [one for one in serve.params if isinstance(one, Option) and one.envvar]
    return [[f"`{one.opts[0]}`", f"`{one.envvar}`", *_default(one)] for one in options]


def _default(option: Option) -> list[str]:
    """The default of an option, and its meaning."""
    meaning, _, said = str(option.help).partition("  [default: ")
    return [f"`{option.default}`" if option.show_default else said.rstrip("]"), meaning]


def manager_metrics_rows() -> list[list[str]]:
    """Name, kind, labels and meaning of each metric of the workflow manager."""
    return [
        [
            f"`{one._name}_total`" if one._type == "counter" else f"`{one._name}`",
            one._type,
            ", ".join(f"`{label}`" for label in one._labelnames),
            one._documentation,
        ]
        for one in Measures()._registry._collector_to_names
    ]


def rest_rows() -> list[list[str]]:
    """Method, path and meaning of each request that the workflow manager answers."""
    document = json.loads((REFERENCE / "openapi.json").read_text())
    return [
        [f"`{method.upper()} {path}`", operation["description"].split("\n\n")[0].replace("\n", " ").replace("|", "\\|")]
        for path, operations in document["paths"].items()
        for method, operation in operations.items()
    ]


def read_rows(page: str, section: str = "") -> list[list[str]]:
    """The cells of all rows of all tables of a page, or of a section of it, without the heads."""
    text = (REFERENCE / page).read_text()
    if section:
        text = text.partition(f"\n## {section}\n")[2].partition("\n## ")[0]
    lines = [line for line in text.splitlines() if line.startswith("| `")]
    return [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in lines]


def write_table(page: Path, rows: list[list[str]], section: str = "") -> None:
    """Replaces the rows of the one table of a page, or of a section of it."""
    table = "".join(f"| {' | '.join(row)} |\n" for row in rows)
    before, head, text = page.read_text().rpartition(f"\n## {section}\n") if section else ("", "", page.read_text())
    text = re.sub(r"(\|---.*\n)(?:\|.*\n)+", lambda found: found[1] + table, text, count=1)
    page.write_text(before + head + text)


if __name__ == "__main__":
    write_table(REFERENCE / "errors.md", errors_rows())
    write_table(REFERENCE / "metrics.md", metrics_rows())
    write_table(REFERENCE / "settings.md", settings_rows())
    write_table(REFERENCE / "serve.md", serve_rows(), "Settings")
    write_table(REFERENCE / "serve.md", manager_metrics_rows(), "Metrics")
    write_table(REFERENCE / "rest.md", rest_rows(), "Requests")
    for page in (cli_page, python_page):
        page.PAGE.write_text(page.text())
