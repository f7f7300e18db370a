"""Misspelt variables: each command says which of its own it does not know."""

import re
from pathlib import Path

import click
import pytest

import workers
from tests.cli.commands import Line
from workers.cli.environment import say_unknown_variables
from workers.cli.main import cli
from workers.variables import COMMANDS

SOURCES = [file.read_text() for file in Path(str(workers.__file__)).parent.rglob("*.py")]


def said(name: str, capsys: pytest.CaptureFixture[str]) -> list[str]:
    """What is said of the environment when `workers NAME` is asked for."""
    command = cli.get_command(click.Context(cli), name)
    assert command
    say_unknown_variables(name, command)
    return capsys.readouterr().err.splitlines()


@pytest.mark.parametrize(
    ("command", "misspelt", "meant"),
    [
        ("serve", "WORKERS_SERVE_PROT", "WORKERS_SERVE_PORT"),
        ("serve", "WORKERS_SERVE_TOKNS", "WORKERS_SERVE_TOKENS"),
        ("local", "WORKERS_LOCAL_DTA", "WORKERS_LOCAL_DATA"),
        ("local", "workers_local_keep", "WORKERS_LOCAL_KEEP"),
        ("dev", "WORKERS_DEV_NAMESPACE", "WORKERS_NAMESPACE"),
        ("exec", "WORKERS_EXEC_ACTIVTY", "WORKERS_EXEC_ACTIVITY"),
        ("replay", "WORKERS_REPLAY_REGISTRI", "WORKERS_REPLAY_REGISTRY"),
        ("executions", "WORKERS_EXECUTIONS_URI", "WORKERS_EXECUTIONS_UI"),
        ("workflows", "WORKERS_MANAGER_TOKN", "WORKERS_MANAGER_TOKEN"),
        ("definitions", "WORKERS_MANAGER_URI", "WORKERS_MANAGER_URL"),
    ],
)
def test_a_misspelt_variable_is_said_with_what_was_meant(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], command: str, misspelt: str, meant: str
) -> None:
    monkeypatch.setenv(misspelt, "1")
    assert said(command, capsys) == [f"workers: nothing reads the variable {misspelt}: did you mean {meant}?"]


def test_one_that_looks_like_nothing_is_said_too(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("WORKERS_DEMO_XYZZY", "1")
    assert said("demo", capsys) == ["workers: nothing reads the variable WORKERS_DEMO_XYZZY"]


@pytest.mark.parametrize("command", COMMANDS)
def test_what_the_code_reads_and_what_is_not_the_commands_own_is_not_said(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], command: str
) -> None:
    beginnings = (f"WORKERS_{command.upper()}_", "WORKERS_MANAGER_")
    read = {name for text in SOURCES for name in re.findall(r"\bWORKERS_[A-Z_]+[A-Z]\b", text)}
    for name in (name for name in read if name.startswith(beginnings)):
        monkeypatch.setenv(name, "1")
    for name in ("WORKERS_SERVICE_HOST", "WORKERS_PORT_80_TCP", "WORKERS_GRAZE", "WORKERS_CALLBACKS_XYZZY"):
        monkeypatch.setenv(name, "1")
    assert said(command, capsys) == []


def test_it_is_said_before_what_is_wrong_with_the_line(monkeypatch: pytest.MonkeyPatch, line: Line) -> None:
    monkeypatch.setenv("WORKERS_EXEC_ACTIVTY", "resize")
    found = line("exec", "--", "true")
    assert found.code == 2
    assert found.err.splitlines() == [
        "workers: nothing reads the variable WORKERS_EXEC_ACTIVTY: did you mean WORKERS_EXEC_ACTIVITY?",
        "workers: Missing option '--activity' (see `workers exec --help`)",
    ]
