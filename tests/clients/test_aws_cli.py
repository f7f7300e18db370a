"""The AWS CLI, in an environment of its own, as people have it."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.clients.checks import check
from tests.clients.conftest import ROLE, ROOT
from tests.docs.readme import blocks

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

Cli = Callable[..., Any]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An environment with the AWS CLI and nothing else."""
    folder = tmp_path_factory.mktemp("awscli")
    subprocess.run([sys.executable, "-m", "venv", folder], check=True)
    installed = subprocess.run(
        [folder / "bin/python", "-m", "pip", "install", "--quiet", "awscli"],
        capture_output=True,
        text=True,
        check=False,
    )
    if installed.returncode:
        pytest.skip(f"pip cannot install awscli here: {installed.stderr.strip().splitlines()[-1]}")
    return folder


@pytest.fixture(scope="module")
def cli(aws: Mapping[str, str], home: Path) -> Cli:
    """Runs `aws stepfunctions`; what it prints."""

    def run(command: str, **options: str) -> Any:
        flags = [part for name, value in options.items() for part in ("--" + name.replace("_", "-"), value)]
        done = subprocess.run(
            [home / "bin/aws", "stepfunctions", command, *flags, "--output", "json"],
            env={**aws, "PATH": str(home / "bin"), "HOME": str(home)},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    return run


def test_it_creates_starts_and_reads(
    cli: Cli, tmp_path: Path, definition: str, activities: list[str], inputs: dict[str, str]
) -> None:
    (tmp_path / "census.asl.json").write_text(definition)
    for name in activities:
        cli("create-activity", name=name)
    machine = cli(
        "create-state-machine", name="by-cli", role_arn=ROLE, definition=f"file://{tmp_path / 'census.asl.json'}"
    )["stateMachineArn"]
    started = {
        package: cli("start-execution", state_machine_arn=machine, input=given)["executionArn"]
        for package, given in inputs.items()
    }
    for package, arn in started.items():
        while (execution := cli("describe-execution", execution_arn=arn))["status"] == "RUNNING":
            time.sleep(0.1)
        check(package, execution, cli("get-execution-history", execution_arn=arn)["events"])
    listed = cli("list-executions", state_machine_arn=machine, status_filter="SUCCEEDED")["executions"]
    assert {execution["executionArn"] for execution in listed} == set(started.values())


def test_the_commands_of_the_readme_work(aws: Mapping[str, str], home: Path, cli: Cli, activities: list[str]) -> None:
    for name in activities:
        cli("create-activity", name=name)
    (script,) = (block for block in blocks("bash") if "aws stepfunctions" in block)
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script.replace("http://127.0.0.1:8083", aws["AWS_ENDPOINT_URL"])],
        cwd=ROOT,
        env={"PATH": f"{home / 'bin'}:{os.environ['PATH']}", "HOME": str(home)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert '"ExecutionStarted"' in done.stdout
