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
        return json.loads(done.stdout or "null")

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


PASS = {"StartAt": "P", "States": {"P": {"Type": "Pass", "Parameters": {"twice.$": "$.n"}, "End": True}}}


def ended(cli: Cli, execution: str) -> Any:
    while (found := cli("describe-execution", execution_arn=execution))["status"] == "RUNNING":
        time.sleep(0.1)
    return found


def task_of(cli: Cli, activity: str) -> Any:
    while "taskToken" not in (task := cli("get-activity-task", activity_arn=activity) or {}):
        pass
    return task


def test_a_definition_is_validated(cli: Cli) -> None:
    fine = cli("validate-state-machine-definition", definition=json.dumps(PASS))
    assert (fine["result"], fine["diagnostics"]) == ("OK", [])
    wrong = cli("validate-state-machine-definition", definition=json.dumps(PASS | {"StartAt": "Q"}))
    assert wrong["result"] == "FAIL"
    assert wrong["diagnostics"][0]["code"] == "MISSING_TRANSITION_TARGET"


def test_a_state_is_tried(cli: Cli) -> None:
    state = json.dumps(PASS["States"]["P"])
    found = cli("test-state", definition=state, role_arn=ROLE, input='{"n": 2}', inspection_level="DEBUG")
    assert (found["status"], json.loads(found["output"])) == ("SUCCEEDED", {"twice": 2})
    assert json.loads(found["inspectionData"]["afterParameters"]) == {"twice": 2}
    send = {"Type": "Task", "Resource": "arn:aws:states:::sqs:sendMessage", "Parameters": {}, "Next": "Q"}
    refused = [{"ErrorEquals": ["Refused"], "Next": "R"}]
    mock = json.dumps({"errorOutput": {"error": "Refused", "cause": "by hand"}})
    found = cli("test-state", definition=json.dumps(send | {"Catch": refused}), input="{}", mock=mock)
    assert (found["status"], found["nextState"]) == ("CAUGHT_ERROR", "R")


def test_an_express_execution_is_waited_for(cli: Cli) -> None:
    machine = cli(
        "create-state-machine", name="express-by-cli", role_arn=ROLE, type="EXPRESS", definition=json.dumps(PASS)
    )["stateMachineArn"]
    found = cli("start-sync-execution", state_machine_arn=machine, input='{"n": 3}')
    assert (found["status"], json.loads(found["output"])) == ("SUCCEEDED", {"twice": 3})


def test_an_execution_is_redriven(cli: Cli) -> None:
    activity = cli("create-activity", name="redriven-by-cli")["activityArn"]
    work = {"StartAt": "W", "States": {"W": {"Type": "Task", "Resource": activity, "End": True}}}
    machine = cli("create-state-machine", name="redriven-by-cli", role_arn=ROLE, definition=json.dumps(work))
    execution = cli("start-execution", state_machine_arn=machine["stateMachineArn"], input="5")["executionArn"]
    task = task_of(cli, activity)
    cli("send-task-failure", task_token=task["taskToken"], error="Broken", cause="by hand")
    assert ended(cli, execution)["redriveStatus"] == "REDRIVABLE"
    assert cli("redrive-execution", execution_arn=execution)["redriveDate"]
    task = task_of(cli, activity)
    cli("send-task-success", task_token=task["taskToken"], task_output=task["input"])
    found = ended(cli, execution)
    assert (found["status"], found["output"], found["redriveCount"]) == ("SUCCEEDED", "5", 1)
    kinds = [event["type"] for event in cli("get-execution-history", execution_arn=execution)["events"]]
    assert kinds.count("ExecutionRedriven") == 1


def test_a_map_run_is_described(cli: Cli) -> None:
    config = {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}
    each = {"Type": "Map", "ItemProcessor": {**PASS, "ProcessorConfig": config}, "End": True}
    definition = json.dumps({"StartAt": "Each", "States": {"Each": each}})
    machine = cli("create-state-machine", name="map-by-cli", role_arn=ROLE, definition=definition)["stateMachineArn"]
    execution = cli("start-execution", state_machine_arn=machine, input='[{"n": 1}, {"n": 2}]')["executionArn"]
    assert ended(cli, execution)["status"] == "SUCCEEDED"
    (run,) = cli("list-map-runs", execution_arn=execution)["mapRuns"]
    found = cli("describe-map-run", map_run_arn=run["mapRunArn"])
    assert (found["status"], found["itemCounts"]["succeeded"], found["executionCounts"]["total"]) == ("SUCCEEDED", 2, 2)
    children = cli("list-executions", map_run_arn=run["mapRunArn"])["executions"]
    assert [child["status"] for child in children] == ["SUCCEEDED"] * 2


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
