"""`workers serve` as a process, and the commands that talk to it."""

import json
import signal
import sqlite3
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from tests.account import unique
from tests.cli.commands import Line
from tests.manager.service import service
from tests.processes import workers
from workers.local import LocalStepFunctions

PASSES = "start_at: a\nstates:\n  a: {type: pass, end: true}\n"
BREAKS = """
start_at: a
states:
  a: {type: choice, choices: [{condition: [is_present, $.fine], next: b}], default: c}
  b: {type: succeed}
  c: {type: fail, error: Broken}
"""
WAITS = "start_at: a\nstates:\n  a: {type: wait, seconds: 600, end: true}\n"


@pytest.fixture(scope="module")
def url(engine: LocalStepFunctions) -> Iterator[str]:
    with service(engine) as found:
        yield found


@pytest.fixture
def served(line: Line, url: str, monkeypatch: pytest.MonkeyPatch) -> Line:
    """The command line, and a service that it finds."""
    monkeypatch.setenv("WORKERS_MANAGER_URL", url)
    return line


@pytest.fixture
def put(served: Line, tmp_path: Path) -> Any:
    def put(machine: str, name: str | None = None) -> str:
        file = tmp_path / "machine.yaml"
        file.write_text(machine)
        name = name or unique("wf")
        served.ok("definitions", "put", name, str(file))
        return name

    return put


def test_a_definition_with_a_schema_of_its_inputs(served: Line, put: Any, tmp_path: Path):
    name = put(PASSES)
    machine, schema = str(tmp_path / "machine.yaml"), tmp_path / "schema.yaml"
    schema.write_text("type: object\nrequired: [order]\n")
    asked = ("definitions", "put", name, machine, "--input-schema", str(schema))
    assert served.ok(*asked).out == f"{name}@1: created\n"
    assert served.ok(*asked).out == f"{name}@1: is so already\n"
    assert json.loads(served.ok("definitions", "show", name).out)["inputSchema"]["required"] == ["order"]
    assert '+  "required": [' in served("definitions", "diff", f"{name}@0", f"{name}@1").out
    assert "input: 'order' is a required property" in served.refused("workflows", "start", name, "{}")
    schema.write_text("type: nothing")
    assert "inputSchema: $.type: 'nothing'" in served.refused(*asked)
    schema.write_text("{")
    assert "--input-schema" in served.refused(*asked)


def test_definitions_are_put_listed_shown_compared_and_deleted(served: Line, put: Any, tmp_path: Path):
    name = put(PASSES)
    file = str(tmp_path / "machine.yaml")
    assert served.ok("definitions", "put", name, file).out == f"{name}@0: is so already\n"
    put(WAITS, name)
    assert name in served.ok("definitions", "list").out
    assert [one["version"] for one in served.ok("definitions", "show", name, "--all").json] == [0, 1]
    assert served.ok("definitions", "show", f"{name}@0").json["version"] == 0
    said = served("definitions", "diff", f"{name}@0", f"{name}@1")
    assert said.code == 1
    assert '+      "seconds": 600,' in said.out
    assert served("definitions", "diff", name, file).code == 0
    assert served.ok("definitions", "deprecate", name).out == f"{name}: deprecated\n"
    assert "is deprecated" in served.refused("workflows", "start", name)
    served.ok("definitions", "deprecate", name, "--undo")
    assert served.ok("definitions", "delete", name, "--yes").out == f"{name}: deleted\n"
    assert name in served.refused("definitions", "show", name)


def test_a_bad_machine_is_refused_with_what_is_wrong(served: Line, tmp_path: Path):
    file = tmp_path / "bad.yaml"
    file.write_text("start_at: a\nstates:\n  a: {type: pass, next: nowhere}\n")
    assert "there is no state 'nowhere'" in served.refused("definitions", "put", unique("wf"), str(file))


def test_what_cannot_be_a_definition_is_refused_in_words(served: Line, tmp_path: Path):
    file = tmp_path / "machine.yaml"
    file.write_text(PASSES)
    assert served.refused("definitions", "put", "a/b", str(file)).startswith("name: ")
    assert "defaultTags: the key 'aws:x'" in served.refused("definitions", "put", "x", str(file), "--tag", "aws:x=y")
    assert "default_tags.k: " in served.refused("definitions", "put", "x", str(file), "--tag", f"k={'v' * 257}")
    file.write_text("start_at: [a")
    assert "is no YAML" in served.refused("definitions", "put", "x", str(file))
    file.write_bytes(b"\xff")
    assert "cannot read" in served.refused("definitions", "put", "x", str(file))


def test_another_service_at_the_address_is_told_from_a_workflow_manager(line: Line):
    class Other(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b'{"hello": "world"}')

        def log_message(self, *_: Any) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Other) as server:
        Thread(target=server.serve_forever).start()
        said = line("definitions", "list", "--url", f"http://127.0.0.1:{server.server_port}")
        server.shutdown()
    assert said.code == 1
    assert "answers what no workflow manager does: " in said.err
    assert said.err.count("\n") == 1


def test_a_workflow_is_started_followed_and_shown(served: Line, put: Any):
    name = put(BREAKS)
    said = served.ok("workflows", "start", name, '{"fine": true}', "--follow", "--tag", "who=me")
    assert "status:       succeeded" in said.out
    assert "tags:         who=me" in said.out
    failed = served("workflows", "start", name, "--follow")
    assert failed.code == 1
    assert "failed" in failed.err
    found = served.ok("workflows", "list", "--definition", name, "--status", "failed", "--json").json
    assert [one["status"] for one in found] == ["failed"]
    workflow = found[0]["id"]
    assert workflow in served.ok("workflows", "list", "--unresolved").out
    shown = served.ok("workflows", "show", workflow, "--full")
    assert "Broken" in shown.out
    assert f"/ui/workflows/{workflow}\n" in shown.out
    assert served.ok("workflows", "show", workflow, "--json").json["id"] == workflow
    resumed = served.ok("workflows", "resume", workflow, "a", "--key", workflow).out.strip()
    assert served.ok("workflows", "resume", workflow, "a", "--key", workflow).out.strip() == resumed
    assert f"resumed from: {workflow}" in served.ok("workflows", "show", resumed).out
    assert served.ok("workflows", "resolve", workflow).out == f"{workflow}: resolved\n"
    assert "already resolved" in served.refused("workflows", "resolve", workflow)
    assert "Invalid StartAt" in served.refused("workflows", "resume", workflow, "nowhere")


def test_many_are_cancelled_with_a_reason(served: Line, put: Any):
    name = put(WAITS)
    started = [served.ok("workflows", "start", name, "--key", f"{name}-{n}").out.strip() for n in range(3)]
    assert served.ok("workflows", "start", name, "--key", f"{name}-0").out.strip() == started[0]
    served.ok("workflows", "refresh", *started)
    assert "--reason" in served.refused("workflows", "cancel", started[0])
    assert "say which workflows" in served.refused("workflows", "cancel", "--reason", "x")
    options = ["--definition", name, "--reason", "enough", "--rate", "100"]
    assert served.ok("workflows", "cancel", *options, "--status", "queued").out == ""
    dry = served.ok("workflows", "cancel", *options, "--dry-run").out
    assert dry == "".join(f"{workflow}: would be cancelled\n" for workflow in started)
    assert served.ok("workflows", "cancel", *options).out.count(": cancelled") == 3
    served.ok("workflows", "refresh", *started)
    assert "reason:       enough" in served.ok("workflows", "show", started[0]).out


def test_nothing_that_is_not_there_is_found(served: Line, monkeypatch: pytest.MonkeyPatch):
    for command in (["show", "nobody"], ["redrive", "nobody"], ["resume", "nobody", "x"]):
        assert "nobody" in served.refused("workflows", *command)
    assert "write KEY=VALUE" in served.refused("workflows", "list", "--tag", "x")
    said = served("workflows", "list", "--url", "http://127.0.0.1:1")
    assert said.code == 1
    assert "does not answer" in said.err
    assert "no URL" in served.refused("workflows", "list", "--url", "here")


async def test_the_service_as_a_process_drains_and_keeps_what_it_knows(engine: LocalStepFunctions, tmp_path: Path):
    database = tmp_path / "workflows.sqlite"
    arguments = ["serve", "--port", "0", "--database", f"sqlite:///{database}", "--log-format", "json"]
    async with workers(*arguments, environment=engine.environment()) as process:
        await process.says("workflow manager ready")
        process.send(signal.SIGTERM)
        assert await process.ends() == 0
    with sqlite3.connect(database) as connection:
        assert connection.execute("select count(*) from workflows").fetchone() == (0,)
    connection.close()
    assert json.dumps(process.said).count("Traceback") == 0


async def test_the_service_does_not_stand_open(engine: LocalStepFunctions):
    async with workers("serve", "--host", "0.0.0.0", "--port", "0", environment=engine.environment()) as process:
        assert await process.ends() == 2
        assert "can be reached by others" in process.log()
