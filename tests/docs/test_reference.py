"""The reference pages say exactly what the code has: no metric, event or setting too few, and none too many."""

import re
from pathlib import Path

from pydantic_core import PydanticUndefined

from tests.docs.log_events import ROOT, log_events
from workers.metrics import METRICS
from workers.settings import Settings, flag, variable

REFERENCE = ROOT / "docs" / "reference"


def rows(page: str) -> list[list[str]]:
    """The cells of all rows of all tables of a page, without the heads."""
    text = (REFERENCE / page).read_text()
    lines = [line for line in text.splitlines() if line.startswith("| `")]
    return [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in lines]


def test_the_metrics_page_lists_every_metric_as_the_code_has_it() -> None:
    expected = [
        [f"`{metric.name}`", metric.kind.value, ", ".join(f"`{label}`" for label in metric.labels), metric.help]
        for metric in METRICS
    ]

    assert rows("metrics.md") == expected


def test_the_logs_page_lists_every_event_with_its_level_and_keys() -> None:
    listed: dict[tuple[str, str], set[str]] = {}
    for event, level, keys, _ in rows("logs.md"):
        assert (event, level) not in listed, f"{event} is listed twice"
        listed[event.strip("`"), level] = set(re.findall(r"`(\w+)`", keys))
    written: dict[tuple[str, str], set[str]] = {}
    for event in log_events():
        written.setdefault((event.name, event.level), set()).update(event.keys)

    missing = [
        f"| `{name}` | {level} | {sorted(written[name, level])} | … |" for name, level in written.keys() - listed
    ]
    assert not missing, "add to docs/reference/logs.md:\n" + "\n".join(missing)
    assert not listed.keys() - written.keys(), "remove from docs/reference/logs.md"
    for key, keys in written.items():
        assert keys <= listed[key], f"{key}: docs/reference/logs.md does not list {keys - listed[key]}"


def test_the_settings_page_lists_every_setting_with_flag_variable_and_default() -> None:
    expected = []
    for name, field in Settings.model_fields.items():
        description, _, said = str(field.description).partition("  [default: ")
        plain = "" if field.default in {None, PydanticUndefined} else f"`{field.default}`"
        typed = f"`{flag(name)}` / `--no-{flag(name)[2:]}`" if field.default is True else f"`{flag(name)}`"
        expected.append([typed, f"`{variable(name)}`", said.rstrip("]") or plain, description])
    table = "\n".join(f"| {' | '.join(row)} |" for row in expected)

    assert rows("settings.md") == expected, f"the table of docs/reference/settings.md must be\n{table}"


def test_the_pages_of_the_health_port_are_described() -> None:
    from workers.supervisor.health import Health

    source = Path(str(Health.__init__.__code__.co_filename)).read_text()
    text = (REFERENCE / "health.md").read_text()
    for page in re.findall(r'"(/\w+)": self', source):
        assert f"`{page}`" in text
