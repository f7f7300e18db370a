"""The AWS CLI, in an environment of its own, as people have it."""

import json
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.clients.checks import check
from tests.clients.conftest import ROLE

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

Cli = Callable[..., Any]


@pytest.fixture(scope="module")
def cli(aws: Mapping[str, str], tmp_path_factory: pytest.TempPathFactory) -> Cli:
    """Runs `aws stepfunctions`; what it prints."""
    folder = tmp_path_factory.mktemp("awscli")
    subprocess.run([sys.executable, "-m", "venv", folder], check=True)
    installed = subprocess.run(
        [folder / "bin/python", "-m", "pip", "install", "--quiet", "--no-compile", "awscli"],
        capture_output=True,
        text=True,
        check=False,
    )
    if installed.returncode:
        pytest.skip(f"pip cannot install awscli here: {installed.stderr.strip().splitlines()[-1]}")

    def run(command: str, **options: str) -> Any:
        flags = [part for name, value in options.items() for part in ("--" + name.replace("_", "-"), value)]
        done = subprocess.run(
            [folder / "bin/aws", "stepfunctions", command, *flags, "--output", "json"],
            env={**aws, "PATH": str(folder / "bin"), "HOME": str(folder)},
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
