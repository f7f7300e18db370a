"""Log lines on a terminal are coloured and for people; elsewhere the same command writes JSON."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pexpect

from tests.processes import WORKERS

HANDLERS = """
from workers import Registry

registry = Registry()
registry.add("work", lambda event, /: event)
"""
ENVIRONMENT = {
    **os.environ,
    "TERM": "xterm-256color",
    "PYTHONPATH": str(Path(__file__).parents[1]),
    "AWS_ENDPOINT_URL": "http://127.0.0.1:1",  # nobody answers there: said as a warning
    "AWS_ACCESS_KEY_ID": "local",
    "AWS_SECRET_ACCESS_KEY": "local",
    "AWS_REGION": "us-east-1",
    "WORKERS_NONSENSE": "1",  # said as a warning too, at once
}
RUN = [*WORKERS, "run", "handlers:registry", "--account", "123456789012"]


def test_workers_run_colours_its_lines_on_a_terminal(tmp_path: Path) -> None:
    (tmp_path / "handlers.py").write_text(HANDLERS)
    run = pexpect.spawn(
        sys.executable, RUN, cwd=tmp_path, env=ENVIRONMENT, encoding="utf-8", timeout=40, dimensions=(50, 200)
    )
    try:
        run.expect("unknown variable[^\n]*\n")
        line = run.before.splitlines()[-1] + run.after
    finally:
        run.close(force=True)
    assert "\x1b[" in line
    assert "\x1b[33m" in line  # yellow: a warning
    assert "WORKERS_NONSENSE" in line
    assert "{" not in line


def test_workers_run_writes_json_to_what_is_no_terminal(tmp_path: Path) -> None:
    (tmp_path / "handlers.py").write_text(HANDLERS)
    with subprocess.Popen([sys.executable, *RUN], cwd=tmp_path, env=ENVIRONMENT, stderr=subprocess.PIPE) as run:
        try:
            assert run.stderr
            line = json.loads(run.stderr.readline())
        finally:
            run.kill()
    assert (line["event"], line["variable"], line["level"]) == ("unknown variable", "WORKERS_NONSENSE", "warning")
