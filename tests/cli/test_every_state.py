"""A machine with every type of state, from a file to its picture, on the command line."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from anyio.from_thread import start_blocking_portal
from structlog.testing import capture_logs

from tests.account import unique
from tests.cli.commands import Line
from workers import Registry, Worker
from workers.settings import Settings

MACHINE = """\
comment: Every type of state
start_at: Prepare
timeout_seconds: 600
states:
  Prepare:
    type: pass
    result: {items: [1, 2, 3], flag: false}
    next: Add
  Add:
    type: task
    resource: ADD
    parameters: {x: 3, y: 4}
    result_path: $.sum
    timeout_seconds: 60
    heartbeat_seconds: 46
    retry: [{error_equals: [States.Timeout, States.HeartbeatTimeout], max_attempts: 2}]
    next: Both
  Both:
    type: parallel
    result_path: null
    branches:
      - start_at: Pause
        states:
          Pause: {type: wait, seconds: 1, next: After}
          After: {type: succeed}
      - start_at: Beside
        states:
          Beside: {type: pass, end: true}
    next: Each
  Each:
    type: map
    items_path: $.items
    item_selector: {x.$: $$.Map.Item.Value, y: 1}
    item_processor:
      start_at: One more
      states:
        One more:
          type: task
          resource: ADD
          timeout_seconds: 60
          heartbeat_seconds: 46
          catch: [{error_equals: States.ALL, next: Nothing}]
          end: true
        Nothing: {type: pass, result: 0, end: true}
    result_path: $.more
    next: Large?
  Large?:
    type: choice
    choices:
      - condition: [and, [">=", $.sum, 20], ["<", $.sum, 30]]
        next: Twenties
      - condition: [or, [is_present, $.nothing], [not, $.flag]]
        next: Below zero
    default: Done
  Twenties: {type: pass, result: in the twenties, next: Done}
  Below zero:
    type: task
    resource: ADD
    parameters: {x: 1, y: -1}
    timeout_seconds: 60
    heartbeat_seconds: 46
    catch: [{error_equals: ValueError, result_path: $.error, next: Broken}, {error_equals: States.ALL, next: Done}]
    next: Done
  Broken: {type: fail, error: Broken, cause: as it should}
  Done: {type: succeed}
"""


@pytest.fixture
def activity(local) -> Iterator[str]:
    """An activity that adds, and its worker in this process, whose log does not mix with what commands print."""
    registry, name = Registry(), unique("add")

    @registry.activity(name)
    async def add(x: int, y: int) -> int:
        if y < 0:
            raise ValueError(f"{y} is below zero")
        return x + y

    worker = Worker(registry, Settings(local=True, local_port=local.port))
    with capture_logs(), start_blocking_portal() as portal, portal.wrap_async_context_manager(worker):
        yield name


def test_a_machine_with_every_type_of_state(line: Line, tmp_path: Path, activity: str) -> None:
    file = tmp_path / f"{unique('every')}.yaml"
    file.write_text(MACHINE.replace("ADD", activity))
    assert "error" not in line.ok("machines", "validate", str(file), "--json").out.replace("error_equals", "")
    line.ok("machines", "put", str(file))
    assert yaml.safe_load(line.ok("machines", "show", file.stem).out) == yaml.safe_load(file.read_text())

    failed = line("executions", "start", file.stem, "--wait", "--name", "one")
    assert (failed.code, failed.out) == (1, "")
    assert failed.err.splitlines()[-1] == "execution one FAILED in state Broken: Broken: as it should"
    events = line.ok("executions", "history", f"{file.stem}:one", "--json").json
    entered = [event["details"] for event in events if event["type"] == "FailStateEntered"]
    assert {key: entered[0]["input"][key] for key in ("sum", "more")} == {"sum": 7, "more": [2, 3, 4]}

    outcomes: dict[str, str] = {}
    _collect(line.ok("executions", "graph", f"{file.stem}:one", "--json").json, outcomes)
    assert {name for name, outcome in outcomes.items() if outcome == "not taken"} == {"Nothing", "Twenties", "Done"}
    assert {name: outcome for name, outcome in outcomes.items() if outcome not in {"succeeded", "not taken"}} == {
        "Below zero": "caught",
        "Broken": "failed",
    }
    assert len(outcomes) == 14


def _collect(drawn: dict, outcomes: dict[str, str]) -> None:
    for state in drawn["states"]:
        outcomes[state["name"]] = state["outcome"]
        for branch in state["branches"]:
            _collect(branch, outcomes)
