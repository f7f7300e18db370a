"""Bad input gets one clear line and exit code 2, from the real command."""

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from workers.cli.main import main
from workers.settings import Settings, flag

HANDLERS = """
from workers import Registry
registry = Registry()
empty = Registry()

@registry.activity
async def add(x: int, y: int) -> int:
    return x + y
"""
SIGNED_IN = {"AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_REGION": "eu-central-1"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "handlers.py").write_text(HANDLERS)
    return tmp_path


@pytest.fixture(autouse=True)
def wide(monkeypatch: pytest.MonkeyPatch) -> None:
    """A terminal so wide that help breaks no line within a word."""
    monkeypatch.setenv("COLUMNS", "200")


def start(folder: Path, *arguments: str, **variables: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "workers", "run", *arguments]
    environment = {**os.environ, **variables}
    return subprocess.Popen(command, cwd=folder, env=environment, stderr=subprocess.PIPE, text=True)


def refused(folder: Path, *arguments: str, **variables: str) -> str:
    """What `workers run` says on stderr before it ends with exit code 2."""
    with start(folder, *arguments, **variables) as process:
        _, said = process.communicate(timeout=30)
    assert process.returncode == 2
    return said


# --- the registry


@pytest.mark.parametrize(
    ("target", "line"),
    [
        ("nowhere:registry", "there is no module 'nowhere' here or among the installed packages"),
        ("handlers:registy", "'handlers:registy': module 'handlers' has no attribute 'registy'"),
        ("handlers:empty", "'handlers:empty' is an empty registry: register a handler with @registry.activity"),
    ],
)
def test_what_is_no_registry(folder: Path, target: str, line: str):
    assert refused(folder, target) == f"workers: {line}\n"


def test_a_registration_that_is_refused(folder: Path):
    (folder / "handlers.py").write_text(f"{HANDLERS}\nregistry.add('add', len)\n")
    number = len(HANDLERS.splitlines()) + 2
    assert refused(folder, "handlers:registry") == (
        f"workers: handlers.py:{number}: activity add has two handlers, add and len: an activity has one\n"
    )


def test_two_names_of_one_activity(folder: Path):
    arn = "arn:aws:states:eu-central-1:123456789012:activity:add"
    (folder / "handlers.py").write_text(f"{HANDLERS}\nregistry.add('{arn}', len)\n")
    assert refused(folder, "handlers:registry", "--account", "123456789012", **SIGNED_IN) == (
        f"workers: add and {arn} are one activity here, {arn}: an activity has one handler\n"
    )


def test_a_module_that_fails_shows_its_own_traceback_once(folder: Path):
    (folder / "handlers.py").write_text("import json\nCONFIG = json.loads('{')\n")
    said = refused(folder, "handlers:registry")
    assert said.startswith(
        "workers: the module 'handlers' fails when it is imported:\nTraceback (most recent call last):\n"
    )
    assert said.count("Traceback") == said.count("CONFIG = json.loads('{')") == 1
    assert said.splitlines()[-1].startswith("json.decoder.JSONDecodeError: Expecting property name")
    assert str(Path(main.__code__.co_filename).parent.parent) not in said


# --- where AWS is


def test_no_region(folder: Path):
    assert refused(folder, "handlers:registry") == (
        "workers: no AWS region is set: export AWS_REGION, give your profile a region, or use --local "
        "for the embedded Step Functions\n"
    )


def test_no_credentials(folder: Path):
    assert refused(folder, "handlers:registry", AWS_REGION="eu-central-1") == (
        "workers: no AWS credentials were found: sign in, export AWS_PROFILE, or use --local "
        "for the embedded Step Functions\n"
    )


def test_a_profile_that_is_not_there(folder: Path):
    assert refused(folder, "handlers:registry", AWS_PROFILE="nobody") == (
        "workers: the AWS configuration cannot be used: The config profile (nobody) could not be found\n"
    )


def test_local_with_nothing_there(folder: Path):
    assert refused(folder, "handlers:registry", "--local", "--local-port", "1") == (
        "workers: no embedded Step Functions answers at http://127.0.0.1:1: start `workers local --port 1` first\n"
    )


@pytest.mark.parametrize("known", [(), ("--account", "123456789012")], ids=["account unknown", "account known"])
def test_an_endpoint_that_cannot_be_reached_is_tried_until_a_signal(folder: Path, known: tuple[str, ...]):
    endpoint = {"AWS_ENDPOINT_URL": "http://127.0.0.1:1", **SIGNED_IN}
    with start(folder, "handlers:registry", "--log-format", "json", *known, **endpoint) as process:
        assert process.stderr
        said = next(line for line in process.stderr if "trying again" in line)
        process.send_signal(signal.SIGTERM)
        rest = process.stderr.read()
    assert "127.0.0.1" in said
    assert "Traceback" not in rest
    assert process.returncode == 0


# --- flags: in this process, for they are refused before anything has begun


def said_here(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    with pytest.raises(SystemExit) as ended:
        main(list(arguments))
    assert ended.value.code == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    return captured.err


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (("--concurrency", "0"), "cannot be '0': input should be greater than or equal to 1"),
        (("--concurrency", "many"), "cannot be 'many': input should be a valid integer"),
        (("--pollers", "2.5"), "cannot be '2.5': input should be a valid integer"),
        (("--grace", "-1"), "cannot be '-1': input should be greater than or equal to 0"),
        (("--grace", "nan"), "cannot be 'nan': input should be a finite number"),
        (("--heartbeat", ""), "cannot be '': input should be a valid number"),
        (("--namespace", "a b"), "cannot be 'a b': the given name 'a b' holds ' ', which AWS refuses"),
        (("--worker-name", "a" * 81), "has 81 characters: AWS allows 80"),
        (("--log-level", "loud"), "cannot be 'loud': input should be 'debug', 'info', 'warning' or 'error'"),
    ],
)
def test_a_value_that_cannot_be(capsys: pytest.CaptureFixture[str], arguments: tuple[str, str], line: str):
    said = said_here(capsys, "run", "handlers:registry", *arguments)
    name = arguments[0][2:].replace("-", "_").upper()
    assert said.startswith(f"workers: {arguments[0]} (or WORKERS_{name}) cannot be ")
    assert line in said
    assert said.count("\n") == 1


def test_a_variable_that_cannot_be(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("WORKERS_GRACE", "soon")
    assert said_here(capsys, "run", "handlers:registry").startswith(
        "workers: --grace (or WORKERS_GRACE) cannot be 'soon': input should be a valid number"
    )


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (("run",), "Missing argument 'MODULE:ATTRIBUTE' (see `workers run --help`)"),
        (("run", "a:b", "c:d"), "Got unexpected extra argument (c:d) (see `workers run --help`)"),
        (("run", "a:b", "--polers", "3"), "No such option '--polers'. (Did you mean "),
        (("run", "a:b", "--grace"), "Option '--grace' requires an argument (see `workers run --help`)"),
        (("run", "a:b", "--worker-name"), "Option '--worker-name' requires an argument (see `workers run --help`)"),
        (("run", "a:b", "--no-grace"), "No such option '--no-grace'."),
        (("run", "a:b", "--local=yes"), "Option '--local' does not take a value (see `workers run --help`)"),
        (("machines", "put", "--name"), "Option '--name' requires an argument (see `workers machines put --help`)"),
        (("runn",), "No such command 'runn' (see `workers --help`)"),
        (("--verbose",), "No such option '--verbose'. Did you mean '--version'? (see `workers --help`)"),
        (("local", "--port", "http"), "Invalid value for '--port' (env var: 'WORKERS_LOCAL_PORT'): 'http' is not a "),
    ],
    ids=" ".join,
)
def test_a_line_that_cannot_be_read(capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], line: str):
    said = said_here(capsys, *arguments)
    assert said.startswith(f"workers: {line}")
    assert said.count("\n") == 1


def test_no_command_shows_what_there_is(capsys: pytest.CaptureFixture[str]):
    assert "Commands:\n  run " in said_here(capsys)


# --- help


def shown(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    with pytest.raises(SystemExit) as ended:
        main(list(arguments))
    assert ended.value.code == 0
    captured = capsys.readouterr()
    assert captured.err == ""
    return captured.out


@pytest.mark.parametrize("option", ["-h", "--help"])
def test_help_teaches_the_first_steps(capsys: pytest.CaptureFixture[str], option: str):
    said = shown(capsys, option)
    assert "First steps, with no AWS account:" in said
    assert re.findall(r"^  (\w+) +\S", said.partition("Commands:")[2], re.MULTILINE)[:3] == ["run", "local", "demo"]


def test_help_of_run_names_every_setting_its_variable_and_the_exit_codes(capsys: pytest.CaptureFixture[str]):
    said = " ".join(shown(capsys, "run", "--help").split())
    for name, field in Settings.model_fields.items():
        assert flag(name) in said
        assert f"[WORKERS_{name.upper()}]" in said
        assert " ".join(str(field.description).split()) in said
    assert "Exit code: 0 every task was reported, 1 a fault, 2 bad input, 3 forced." in said


@pytest.mark.parametrize("command", ["local", "demo"])
def test_every_command_has_help(capsys: pytest.CaptureFixture[str], command: str):
    assert shown(capsys, command, "--help").startswith(f"Usage: workers {command} ")


def test_the_version_is_shown(capsys: pytest.CaptureFixture[str]):
    assert re.fullmatch(r"workers, version \d+\.\d+\.\d+\n", shown(capsys, "--version"))
