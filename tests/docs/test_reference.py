"""The reference pages say exactly what the code has: no metric, event or setting too few, and none too many."""

import re
from pathlib import Path
from types import ModuleType

import pytest

from tests.docs import cli_page, python_page
from tests.docs.log_events import log_events
from tests.docs.tables import (
    REFERENCE,
    manager_metrics_rows,
    metrics_rows,
    read_rows,
    rest_rows,
    serve_rows,
    settings_rows,
)
from workers.supervisor.outside.health import Health


def test_the_metrics_page_lists_every_metric_as_the_code_has_it() -> None:
    assert read_rows("metrics.md") == metrics_rows(), "run python -m tests.docs.tables"


def test_the_settings_page_lists_every_setting_with_flag_variable_and_default() -> None:
    assert read_rows("settings.md") == settings_rows(), "run python -m tests.docs.tables"


def test_the_page_of_the_manager_lists_every_setting_and_every_metric() -> None:
    assert read_rows("serve.md", "Settings") == serve_rows(), "run python -m tests.docs.tables"
    assert read_rows("serve.md", "Metrics") == manager_metrics_rows(), "run python -m tests.docs.tables"


def test_the_page_of_the_rest_api_lists_every_request() -> None:
    assert read_rows("rest.md", "Requests") == rest_rows(), "run python -m tests.docs.tables"


@pytest.mark.parametrize("page", [cli_page, python_page], ids=["cli", "python"])
def test_the_pages_of_commands_and_names_are_what_the_code_says(page: ModuleType) -> None:
    assert page.PAGE.read_text() == page.text(), "run python -m tests.docs.tables"


def test_the_logs_page_lists_every_event_with_its_level_and_keys() -> None:
    listed: dict[tuple[str, str], set[str]] = {}
    for event, level, keys, _ in read_rows("logs.md"):
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


def test_the_pages_of_the_health_port_are_described() -> None:
    source = Path(Health.__init__.__code__.co_filename).read_text()
    text = (REFERENCE / "health.md").read_text()
    for page in re.findall(r'"(/\w+)": self', source):
        assert f"`{page}`" in text
