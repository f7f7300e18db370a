"""`workers doctor`, as a CI job uses it."""

import sys
from pathlib import Path

import pytest

from tests.account import unique
from tests.cli.commands import Line

HANDLERS = """
from workers import Registry

registry = Registry()


@registry.activity("doctor-work")
async def work(x: int) -> int:
    if x < 0:
        raise LookupError("below zero")
    return x
"""
MACHINE = """\
start_at: Work
timeout_seconds: 600
states:
  Work:
    type: task
    resource: doctor-work
    timeout_seconds: 60
    heartbeat_seconds: 40
    retry:
    - error_equals: [States.Timeout, States.HeartbeatTimeout]
    end: true
"""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """A folder with handlers and a machine; gives the registry's name and the machine's file."""
    module = unique("handlers").replace("-", "_")
    (tmp_path / f"{module}.py").write_text(HANDLERS)
    (tmp_path / "machine.yaml").write_text(MACHINE)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    yield f"{module}:registry", tmp_path / "machine.yaml"
    sys.modules.pop(module, None)


def test_warnings_are_told_and_only_strictly_a_failure(line: Line, project) -> None:
    registry, file = project
    said = line.ok("doctor", registry, "machine.yaml", "--offline")
    assert said.out.splitlines()[0].startswith("machine.yaml: Work: warning: doctor-work raises LookupError (")
    assert said.out.splitlines()[-1] == "0 errors, 1 warning, 0 notes"
    assert line("doctor", registry, "machine.yaml", "--offline", "--strict").code == 1

    file.write_text(MACHINE.replace("States.HeartbeatTimeout]", "States.HeartbeatTimeout, LookupError]"))
    assert line.ok("doctor", registry, "machine.yaml", "--offline", "--strict").out == "0 errors, 0 warnings, 0 notes\n"


def test_errors_are_a_failure(line: Line, project) -> None:
    registry, file = project
    found = line("doctor", registry, "machine.yaml", "--offline", "--json", "--heartbeat", "45")
    assert found.code == 1
    assert [(one["code"], one["level"]) for one in found.json["findings"]] == [
        ("heartbeat-too-short", "error"),
        ("never-caught", "warning"),
    ]
    file.write_text(MACHINE.replace("doctor-work", "doctor-wrok"))
    assert "nothing handles the activity doctor-wrok" in line("doctor", registry, "machine.yaml", "--offline").out


def test_deployed_machines_are_examined_by_name(line: Line, project, local) -> None:
    registry, file = project
    name = unique("machine")
    line.ok("machines", "put", str(file), "--name", name)
    assert f"{name}: Work: warning: " in line.ok("doctor", registry, name).out
    assert line.refused("doctor", registry, "nope").startswith("DescribeStateMachine: StateMachineDoesNotExist")


def test_what_cannot_be_is_said_in_one_line(line: Line, project) -> None:
    registry, _ = project
    assert line.refused("doctor", registry, "nope.yaml", "--offline").startswith("cannot read nope.yaml: ")
    assert line.refused("doctor", "nope:registry", "machine.yaml").startswith("there is no module 'nope'")
    assert line.refused("doctor", registry, "deployed", "--offline").startswith("machines that are deployed")
    assert line.refused("doctor", registry).startswith("Missing argument 'MACHINE...'")
    assert line.refused("doctor", registry, "machine.yaml", "--heartbeat", "x").startswith("--heartbeat (or WORKERS_")
