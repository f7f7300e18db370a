"""The fixtures, in test runs of their own, as a user has them."""

import subprocess
import sys
from pathlib import Path

import pytest

HANDLERS = """
from workers import Registry

registry = Registry()

@registry.activity("add")
async def add(x: int, y: int) -> int:
    return x + y

DEFINITION = {"start_at": "Add", "states": {"Add": {"type": "task", "resource": "add", "end": True}}}
"""

BODY = """
import boto3
import pytest
from handlers import DEFINITION, registry

{mark}

async def test_a_machine(run_machine):
    run = await run_machine(DEFINITION, registry, {{"x": 1, "y": 2}})
    assert run.output == 3
    assert run.passed("Add")

async def test_a_handler(activity_environment):
    assert await activity_environment(registry).run("add", {{"x": 1, "y": 2}}) == 3

@pytest.mark.parametrize("number", range(2))
def test_an_account_of_ones_own(step_functions, number):
    client = boto3.client("stepfunctions")
    assert client.list_state_machines()["stateMachines"] == []
    assert client.list_activities()["activities"] == []
    text = '{{"StartAt": "W", "States": {{"W": {{"Type": "Pass", "End": true}}}}}}'
    machine = client.create_state_machine(name="m", definition=text, roleArn="arn:aws:iam::123456789012:role/r")
    client.start_execution(stateMachineArn=machine["stateMachineArn"])
    client.create_activity(name="a")
"""

ANYIO = """
pytestmark = pytest.mark.anyio

@pytest.fixture
def anyio_backend():
    return "asyncio"
"""

MANY = """
import pytest
from handlers import DEFINITION, registry

@pytest.mark.parametrize("number", range(100))
async def test_one(run_machine, number):
    assert (await run_machine(DEFINITION, registry, {"x": number, "y": 1})).output == number + 1
"""


def pytest_in(folder: Path, *arguments: str) -> str:
    """What pytest says of the tests in a folder."""
    without = ("cacheprovider", "cloudcoil")  # the plugin of the latter, a tool of other tests, needs more packages
    command = [sys.executable, "-m", "pytest", "-q", *(f"-pno:{name}" for name in without), *arguments]
    ended = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=150, check=False)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "handlers.py").write_text(HANDLERS)
    return tmp_path


@pytest.mark.parametrize(
    ("mark", "arguments"),
    [
        ("", ("-p", "no:anyio", "-o", "asyncio_mode=auto")),
        pytest.param(ANYIO, ("-p", "no:asyncio"), marks=pytest.mark.slow),
    ],
    ids=["pytest-asyncio", "anyio"],
)
def test_the_fixtures_work(mark: str, arguments: tuple[str, ...], folder: Path) -> None:
    (folder / "test_it.py").write_text(BODY.format(mark=mark))
    assert "4 passed" in pytest_in(folder, *arguments)


@pytest.mark.slow
def test_a_hundred_executions_in_one_session(folder: Path) -> None:
    (folder / "test_many.py").write_text(MANY)
    assert "100 passed" in pytest_in(folder, "-o", "asyncio_mode=auto")


def test_the_plugin_imports_nothing_heavy_until_a_fixture_is_used() -> None:
    program = (
        "import sys, pytest; known = set(sys.modules); "
        "import workers.testing.plugin; print(*(set(sys.modules) - known))"
    )
    command = [sys.executable, "-c", program]
    loaded = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True).stdout.split()
    assert set(loaded) == {"workers", "workers.testing", "workers.testing.plugin"}


RUN = """
import asyncio, sys
from handlers import DEFINITION, registry
from workers.testing import run_machine

assert asyncio.run(run_machine(DEFINITION, registry, {"x": 1, "y": 2})).output == 3
sys.stderr.write(" ".join(sys.modules))
"""


def test_a_run_loads_neither_the_aws_sdk_nor_what_is_for_terminals(folder: Path) -> None:
    """Each takes as long to load as fifty executions take."""
    command = [sys.executable, "-c", RUN]
    ran = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=60, check=False)
    assert ran.returncode == 0, ran.stderr
    assert not {"aiobotocore.session", "aiohttp", "moto", "rich.console", "s3fs"} & set(ran.stderr.split())
