"""`workers executions`, on the engine."""

import json
import os
import pty
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from subprocess import Popen

import pytest
from anyio.from_thread import start_blocking_portal
from structlog.testing import capture_logs

from tests.account import PREFIX, unique
from tests.cli.commands import Line
from workers import Registry, Settings, Worker

ECHO = {"StartAt": "Echo", "States": {"Echo": {"Type": "Pass", "End": True}}}
WAITS = {"StartAt": "Wait", "States": {"Wait": {"Type": "Wait", "Seconds": 600, "End": True}}}
FAILS = {"StartAt": "Break", "States": {"Break": {"Type": "Fail", "Error": "Boom", "Cause": "as the test says"}}}


@pytest.fixture
def put(line: Line, tmp_path: Path, local):
    """Registers a machine; gives its name."""

    def register(definition: dict, name: str = "machine") -> str:
        file = tmp_path / f"{unique(name)}.json"
        file.write_text(json.dumps(definition))
        line.ok("machines", "put", str(file))
        return file.stem

    return register


@pytest.fixture
def worker(local) -> Iterator[Registry]:
    """A worker in this process, whose log does not mix with what commands print."""
    registry = Registry()

    @registry.activity("cli-add")
    async def add(x: int, y: int) -> int:
        if y < 0:
            raise ValueError(f"{y} is below zero")
        return x + y

    settings = Settings(local=True, local_port=local.port)
    with (
        capture_logs(),
        start_blocking_portal() as portal,
        portal.wrap_async_context_manager(Worker(registry, settings)),
    ):
        yield registry


def test_the_adder_from_the_command_line(line: Line, put, worker: Registry) -> None:
    adder = put(
        {
            "start_at": "Add",
            "timeout_seconds": 60,
            "states": {"Add": {"type": "task", "resource": "cli-add", "timeout_seconds": 30, "end": True}},
        },
        "adder",
    )
    said = line.ok("executions", "start", adder, '{"x": 1, "y": 2}', "--wait", "--name", "three")
    assert said.out == "3\n"

    failed = line("executions", "start", adder, '{"x": 1, "y": -2}', "--wait", "--name", "bad")
    assert (failed.code, failed.out) == (1, "")
    assert failed.err.splitlines()[-1] == "execution bad FAILED in state Add: ValueError: -2 is below zero"

    shown = line.ok("executions", "show", f"{adder}:bad").out
    assert "failed in  Add\n" in shown
    assert "cause      -2 is below zero\n" in shown
    assert "ValueError: -2 is below zero" in shown
    found = line.ok("executions", "show", f"{adder}:bad", "--json").json
    assert found["cause"]["errorType"] == "ValueError"

    assert line.ok("executions", "list", adder).out.splitlines()[1].split()[:2] == ["bad", "FAILED"]
    assert [one["name"] for one in line.ok("executions", "list", adder, "--json").json] == ["bad", "three"]
    only = line.ok("executions", "list", adder, "--status", "succeeded", "--limit", "1", "--json").json
    assert [one["name"] for one in only] == ["three"]

    events = line.ok("executions", "history", f"{adder}:bad", "--json").json
    assert events[-1]["type"] == "ExecutionFailed"
    rows = line.ok("executions", "history", f"{adder}:bad", "--newest-first", "--no-data").out.splitlines()
    assert rows[0].split()[2] == "ExecutionFailed"
    assert all(len(row) <= 301 for row in rows)

    assert "Add" in line.ok("executions", "graph", f"{adder}:bad").out
    assert line.ok("executions", "graph", f"{adder}:bad", "--format", "mermaid").out.startswith("flowchart TD")
    assert [state["outcome"] for state in line.ok("executions", "graph", f"{adder}:bad", "--json").json["states"]] == [
        "failed"
    ]


def test_inputs(line: Line, put, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    echo = put(ECHO)
    assert line.ok("executions", "start", echo, "--wait").out == "{}\n"
    assert line.ok("executions", "start", echo, "null", "--wait").out == "null\n"
    file = tmp_path / "input.json"
    file.write_text('["ä"]')
    assert json.loads(line.ok("executions", "start", echo, "--input-file", str(file), "--wait").out) == ["ä"]
    traced = line.ok("executions", "start", echo, '{"x": 1}', "--traceparent", "--wait", "--json").json
    assert traced["output"].keys() == {"traceparent", "x"}

    file.write_text(json.dumps("x" * 300_000))
    store = f"file://{tmp_path}/store"
    large = line.ok("executions", "start", echo, "--input-file", str(file), "--wait", "--payloads", store)
    assert json.loads(large.out) == "x" * 300_000
    assert "300,002 bytes" in line.refused("executions", "start", echo, "--input-file", str(file))

    arn = line.ok("executions", "start", echo, "--name", "later").out.strip()
    assert arn == f"{PREFIX}:execution:{echo}:later"
    assert line.ok("executions", "start", echo, "--json").json["status"] == "RUNNING"


def test_executions_are_stopped_one_by_one_and_in_bulk(line: Line, put, tmp_path: Path) -> None:
    waits = put(WAITS)
    arns = [line.ok("executions", "start", waits).out.strip() for _ in range(4)]
    assert line.ok("executions", "stop", arns[0], "--error", "Enough").out == f"{arns[0]}: stopped\n"
    assert line.ok("executions", "show", arns[0], "--json").json["error"] == "Enough"
    assert line.ok("executions", "stop", arns[1], "--json").json == {"stopped": [arns[1]]}

    assert line.ok("executions", "stop", arns[1]).out == f"{arns[1]}: ended before\n"
    partly = line("executions", "stop", arns[0], f"{waits}:nope", arns[2])
    assert (partly.code, partly.out) == (2, f"{arns[0]}: ended before\n")
    assert "ExecutionDoesNotExist" in partly.err
    partly = line("executions", "stop", arns[0], f"{waits}:nope", "--json")
    assert (partly.code, partly.json) == (2, {"ended_before": [arns[0]]})

    none = line.ok("executions", "stop", "--machine", waits, "--older-than", "1h").out
    assert none == "0 looked at: nothing to do\n"
    dry = line.ok("executions", "stop", "--machine", waits, "--state", "W*", "--dry-run").out.splitlines()
    assert len(dry) == 3
    assert "would be stopped (RUNNING in Wait, started " in dry[0]
    assert dry[-1] == "2 looked at: 2 would be stopped"
    journal = tmp_path / "journal"
    arguments = ("executions", "stop", "--machine", waits, "--rate", "1000", "--journal", str(journal))
    done = line.ok(*arguments, "--json").json
    assert done["summary"]["done"] == 2
    assert {step["execution"] for step in done["executions"]} == set(arns[2:])
    assert line.ok(*arguments).out == "0 looked at: nothing to do\n"


def test_one_who_stops_waiting_is_told_that_the_execution_runs_on(put) -> None:
    waits = put(WAITS)
    command = [sys.executable, "-m", "workers", "executions", "start", waits, "--wait"]
    ours, theirs = pty.openpty()
    with Popen(command, stdout=-1, stderr=theirs, env={**os.environ, "TERM": "xterm"}) as process:
        os.close(theirs)
        drawn = b""
        while b"Wait" not in drawn:
            drawn += _read(ours)
        process.send_signal(signal.SIGINT)
        while chunk := _read(ours):
            drawn += chunk
    os.close(ours)
    assert process.returncode == 130
    assert f"what was started runs on: see `workers executions list {waits}`" in drawn.decode()


def test_redriving_in_bulk_tells_what_was_refused(line: Line, put) -> None:
    fails = put(FAILS)
    assert line("executions", "start", fails, "--wait", "--name", "one").code == 1
    dry = line.ok("executions", "redrive", "--machine", fails, "--error", "B*", "--newer-than", "1d", "--dry-run").out
    assert dry.splitlines()[-1] == "1 looked at: 1 would be redriven"
    other = line.ok("executions", "redrive", "--machine", fails, "--status", "aborted", "--dry-run").out
    assert other == "0 looked at: nothing to do\n"


def test_what_cannot_be_is_said_in_one_line(line: Line, local) -> None:
    assert line.refused("executions", "start", "nope").startswith("StartExecution: StateMachineDoesNotExist: ")
    assert line.refused("executions", "start", "nope", "{").startswith("the input is no JSON: ")
    assert line.refused("executions", "start", "nope", "-").endswith(": --input-file - reads it from there")
    assert line.refused("executions", "start", "nope", "a.json").endswith(": --input-file a.json reads it from there")
    assert line.refused("executions", "start", "nope").endswith("(`workers machines list` shows those that there are)")
    assert line.refused("executions", "start", "nope", "{}", "--input-file", "x").startswith("the input is given twice")
    assert line.refused("executions", "start", "nope", "--input-file", "no.json").startswith("cannot read no.json: ")
    assert line.refused("executions", "start", "nope", "[]", "--traceparent").startswith("a traceparent is put into")
    assert line.refused("executions", "show", "nope").startswith("'nope' names no execution")
    assert line.refused("executions", "show", "nope:one").startswith("DescribeExecution: ExecutionDoesNotExist: ")
    assert line.refused("executions", "stop").startswith("which executions? Name them, or give --machine")
    assert line.refused("executions", "stop", "a:b", "--dry-run", "--state", "S").startswith(
        "--state, --dry-run select"
    )
    assert "is no duration: write 90s" in line.refused("executions", "stop", "--machine", "a", "--older-than", "soon")
    assert line.refused("executions", "stop", "--machine", "a", "--rate", "0").startswith("a rate of 0.0 never")
    assert line.refused("executions", "redrive", "--wait").startswith("--wait follows one execution")
    assert line.refused("executions", "redrive", "a:b", "--error", "E").startswith("--error select")
    assert "cannot be used" in line.refused("executions", "stop", "--machine", "a", "--journal", "/")
    assert "Invalid value for '--status'" in line.refused("executions", "list", "nope", "--status", "fine")


def test_a_terminal_shows_the_states_as_they_run(line: Line, put) -> None:
    """On a real terminal: the view is drawn on stderr, the output alone goes to stdout."""
    fan = {
        "StartAt": "Each",
        "States": {
            "Each": {
                "Type": "Map",
                "ItemProcessor": {
                    "StartAt": "Try",
                    "States": {"Try": {"Type": "Pass", "End": True}},
                },
                "End": True,
            }
        },
    }
    machine = put(fan)
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "workers", "executions", "start", machine, "[1, 2]", "--wait"]
    with Popen(command, stdout=-1, stderr=theirs, env={**os.environ, "TERM": "xterm", "COLUMNS": "100"}) as process:
        os.close(theirs)
        drawn = b""
        while chunk := _read(ours):
            drawn += chunk
        out = process.stdout.read()
    os.close(ours)
    assert process.returncode == 0
    assert json.loads(out) == [1, 2]
    last = drawn.decode().replace("\x1b[2m", "").replace("\x1b[0m", "")
    assert "Each" in last
    assert "Try" in last
    assert "2 times" in last
    assert "✓" in last


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 65_536)
    except OSError:  # the other end is closed
        return b""
