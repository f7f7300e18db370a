"""With the core alone installed, every command works, or says which extra it needs: never with a traceback."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.house.test_imports import hidden

COMMAND = """
import json, sys
from importlib.machinery import PathFinder

names = set(json.loads(sys.argv.pop(1)))

class Installed:
    def find_spec(name, path=None, target=None):
        return None if name.partition(".")[0] in names else PathFinder.find_spec(name, path, target)

sys.meta_path[sys.meta_path.index(PathFinder)] = Installed
from workers.cli.main import main
main()
"""
ELSEWHERE = ["--account", "123456789012"]


def run(folder: Path, *arguments: str) -> tuple[int, str]:
    """Exit code and stderr of `workers`, where no extra is installed."""
    command = [sys.executable, "-c", COMMAND, json.dumps(hidden(None)), *arguments]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=60, check=False)
    return done.returncode, done.stderr


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where a user of AWS works; nothing is asked of it."""
    for name in ("AWS_REGION", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "eu-west-1")
    (tmp_path / "handlers.py").write_text(
        'from workers import Registry\n\nregistry = Registry()\nregistry.add("add", lambda x: x)\n'
    )
    (tmp_path / "adder.yaml").write_text("start_at: Add\nstates:\n  Add: {type: task, resource: add, end: true}\n")
    (tmp_path / "adder.edn").write_text("{:start-at :add :states {:add {:type :succeed}}}")
    return tmp_path


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arguments", "extra"),
    [
        (["local"], "local"),
        (["local", "--ui"], "local"),
        (["demo"], "local"),
        (["dev", "handlers:registry", "--machine", "adder.yaml"], "dev"),
        (["serve", "--local"], "manager"),
        (["serve", *ELSEWHERE], "manager"),
        (["serve", *ELSEWHERE, "--check-sync", "--events", "queue"], "manager"),
        (["machines", "convert", "adder.edn"], "edn"),
        (["run", "handlers:registry", "--metrics", "emf", *ELSEWHERE], "metrics"),
        (["exec", "--activity", "add", "--metrics", "emf", *ELSEWHERE, "--", "true"], "metrics"),
    ],
    ids=lambda value: value if isinstance(value, str) else " ".join(value[:2]),
)
def test_a_command_says_which_extra_it_needs(arguments: list[str], extra: str, folder: Path):
    code, said = run(folder, *arguments)
    assert (code, f"sfn-workers[{extra}]" in said, "Traceback" in said) == (2, True, False), said


@pytest.mark.slow
@pytest.mark.parametrize(
    "arguments",
    [
        ["run", "handlers:registry", "--print-settings"],
        ["run", "handlers:registry", "--print-quota", *ELSEWHERE],
        ["machines", "validate", "adder.yaml"],
        ["machines", "graph", "adder.yaml"],
        ["machines", "render", "adder.yaml", *ELSEWHERE],
        ["doctor", "handlers:registry", "adder.yaml", "--offline"],
        ["invoke", "handlers:registry", "add", "--input", '{"x": 1}'],
        ["iam", "worker", "handlers:registry", *ELSEWHERE],
        ["iam", "manager", *ELSEWHERE],
        ["--version"],
    ],
    ids=" ".join,
)
def test_a_command_needs_none(arguments: list[str], folder: Path):
    code, said = run(folder, *arguments)
    assert (code, "Traceback" in said) == (0, False), said
