"""What `workers run` prints instead of running, from the real command."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from workers.cli.show import show_quota
from workers.supervisor.quota import demands

HANDLERS = """
from workers import Registry
registry = Registry()

@registry.activity(concurrency=8000)
async def add(x: int, y: int) -> int:
    return x + y
"""


@pytest.fixture
def handlers(tmp_path: Path) -> Path:
    (tmp_path / "handlers.py").write_text(HANDLERS)
    return tmp_path


def workers(folder: Path, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "workers", "run", "handlers:registry", *arguments]
    environment = {**os.environ, **variables}
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=30, check=False)


def test_settings_are_printed_with_their_origin_and_typos_with_what_was_meant(handlers: Path) -> None:
    found = workers(
        handlers, "--print-settings", "--no-create", WORKERS_GRACE="7", WORKERS_POLERS="3", WORKERS_SERVE_PORT="1"
    )

    assert found.returncode == 0
    rows = {line.split()[0]: line.split()[1:] for line in found.stdout.splitlines()}
    assert rows["grace"] == ["7.0", "WORKERS_GRACE"]
    assert rows["create"] == ["False", "--no-create"]
    assert rows["concurrency"] == ["10", "default"]
    assert rows["budget"] == ["-", "default"]
    assert "unknown variable" in found.stderr
    assert "WORKERS_POLERS" in found.stderr
    assert "WORKERS_POLLERS" in found.stderr
    assert "SERVE" not in found.stderr


def test_the_quota_of_a_registry_is_printed_without_credentials(handlers: Path) -> None:
    found = workers(handlers, "--print-quota", "--pollers", "60", AWS_REGION="eu-west-1")

    assert found.returncode == 0
    assert found.stderr == ""
    lines = {line.partition("  ")[0]: line.split() for line in found.stdout.splitlines()}
    assert lines["GetActivityTask"][1:] == ["60", "3,000", "1.00", "500", "idle", "2.0%"]
    assert lines["SendTaskHeartbeat"][3] == "533.33"
    assert "eu-west-1 (large buckets" in found.stdout
    assert "too much for the account: SendTaskHeartbeat: 533 calls a second, 500 flow back" in found.stdout


def test_without_a_region_the_smaller_buckets_count(capsys: pytest.CaptureFixture[str]) -> None:
    show_quota(demands([], None), None)

    assert "no region (smaller buckets" in capsys.readouterr().out
