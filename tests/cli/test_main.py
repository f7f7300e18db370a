"""How the `workers` command ends: a code for every way, and nothing that keeps it from ending."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import click
import pytest

from tests.ids import shown
from workers.cli import main as module
from workers.errors import MissingExtraError, RegistrationError, UsageError
from workers.stepfunctions.protocol import RefusedError


def ends(monkeypatch: pytest.MonkeyPatch, command: Any) -> Any:
    """The exit code when the command line does `command`."""
    monkeypatch.setattr(module, "cli", click.Command("workers", callback=command))
    with pytest.raises(SystemExit) as ended:
        module.main([])
    return ended.value.code


def raises(error: BaseException) -> Any:
    def command(*_: Any, **__: Any) -> None:
        raise error

    return command


@pytest.mark.parametrize(("returned", "code"), [(None, 0), (0, 0), (1, 1), (3, 3)])
def test_a_command_returns_its_exit_code(monkeypatch: pytest.MonkeyPatch, returned: Any, code: int):
    assert ends(monkeypatch, lambda *_, **__: returned) == code


@pytest.mark.parametrize(
    ("error", "code", "line"),
    [
        (UsageError("no such thing"), 2, "workers: no such thing\n"),
        (RegistrationError("never works"), 2, "workers: never works\n"),
        (MissingExtraError("it", "local"), 2, "workers: it needs packages that are not installed: pip install "),
        (RefusedError("GetCallerIdentity", "Odd", "why"), 1, "workers: GetCallerIdentity: Odd: why\n"),
        (click.ClickException("no such file."), 2, "workers: no such file (see `workers --help`)\n"),
        (click.Abort(), 130, ""),
        (RuntimeError("broken"), 1, "workers: stopped by an error that nobody expected:\nTraceback "),
    ],
    ids=shown,
)
def test_every_error_has_a_code_and_is_said(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], error: BaseException, code: int, line: str
):
    assert ends(monkeypatch, raises(error)) == code
    said = capsys.readouterr().err
    assert said.startswith(line)
    assert bool(said) == bool(line)


STUCK = """
import threading, time
from contextlib import asynccontextmanager
from workers import Registry

@asynccontextmanager
async def pool():
    threading.Thread(target=time.sleep, args=[300], name="handler-0").start()
    raise RuntimeError("no pool")
    yield

registry = Registry(lifespan=pool)
registry.add("echo", lambda event, /: event)
"""


def test_a_fault_ends_the_process_though_a_handlers_thread_does_not(tmp_path: Path):
    (tmp_path / "handlers.py").write_text(STUCK)
    command = [sys.executable, "-m", "workers", "run", "handlers:registry", "--account", "123456789012"]
    signed_in = {"AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_REGION": "eu-central-1"}
    ended = subprocess.run(
        command,
        cwd=tmp_path,
        env={**os.environ, **signed_in},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert ended.returncode == 1
    assert ended.stderr.splitlines()[-1] == "RuntimeError: no pool"
